// Pollers: what both kinds do alike, and the way to the kind that was asked for.
//
// The kind is chosen when a poller is opened and asked at each step through a table, so that a channel, a listener or a doorbell need not know in which it is.
#include "posix.h"

#if !defined(_WIN32)

gn_outcome gn_poller_open(gn_poller_kind kind, gn_poller **poller, gn_error *error) {
    return kind == GN_POLLER_SCAN ? gnp_scan_open(poller, error) : gnp_queue_open(poller, error);
}

size_t gn_poller_descriptors(gn_poller_kind kind) { return kind == GN_POLLER_SCAN ? gnp_scan_descriptors : gnp_queue_descriptors; }

void gn_poller_close(gn_poller *poller) { poller->verbs->close(poller); }

// MARK: Watches

static gn_outcome add(gn_poller *poller, gnp_watch *watch, uint64_t token, gn_error *error) {
    const char *operation = poller->verbs->adding;
    if (watch->poller != NULL) return gnp_fail(error, GN_CODE_EXISTS, EEXIST, operation);
    if (token == UINT64_MAX) return gnp_fail(error, GN_CODE_INVALID, 0, operation);
    watch->token = token;
    watch->hung_up = watch->is_over = false;
    watch->wants_readable = true;
    // A doorbell that rings through its channel is heard there; what is left is that it is not added twice.
    if (watch->descriptor >= 0 && poller->verbs->add(poller, watch) != 0) return gnp_fail_errno(error, operation);
    watch->poller = poller;
    return GN_DONE;
}

gn_outcome gn_poller_add_channel(gn_poller *poller, gn_channel *channel, uint64_t token, gn_error *error) {
    return add(poller, &channel->watch, token, error);
}

gn_outcome gn_poller_add_listener(gn_poller *poller, gn_listener *listener, uint64_t token, gn_error *error) {
    return add(poller, &listener->watch, token, error);
}

gn_outcome gn_poller_add_doorbell(gn_poller *poller, gn_doorbell *doorbell, uint64_t token, gn_error *error) {
    return add(poller, &doorbell->watch, token, error);
}

void gnp_poller_forget(gnp_watch *watch) {
    gn_poller *poller = watch->poller;
    if (poller != NULL && watch->descriptor >= 0) poller->verbs->forget(poller, watch);
    watch->poller = NULL;
}

void gn_poller_remove_channel(gn_poller *poller, gn_channel *channel) {
    if (channel->watch.poller == poller) gnp_poller_forget(&channel->watch);
}

void gn_poller_remove_listener(gn_poller *poller, gn_listener *listener) {
    if (listener->watch.poller == poller) gnp_poller_forget(&listener->watch);
}

void gn_poller_remove_doorbell(gn_poller *poller, gn_doorbell *doorbell) {
    if (doorbell->watch.poller == poller) gnp_poller_forget(&doorbell->watch);
}

gn_outcome gnp_poller_want_writable(gnp_watch *watch, gn_error *error) {
    // First the wish, then the waiting: an event that comes at once must find the wish.
    atomic_store(&watch->wants_writable, true);
    gn_poller *poller = watch->poller;
    if (poller == NULL || poller->verbs->want_writable(poller, watch) == 0) return GN_WOULD_BLOCK;
    return gnp_fail_errno(error, poller->verbs->adding);
}

// MARK: Waiting

gn_outcome gn_poller_wait(gn_poller *poller, gn_event *events, size_t capacity, uint64_t timeout_ns, size_t *count, gn_error *error) {
    if (capacity == 0) return gnp_fail(error, GN_CODE_INVALID, 0, poller->verbs->waiting);
    int used = poller->verbs->wait(poller, events, capacity, timeout_ns);
    if (used < 0) return gnp_fail(error, GN_CODE_OTHER, errno, poller->verbs->waiting);
    *count = (size_t)used;
    return GN_DONE;
}

void gn_poller_wake(gn_poller *poller) {
    if (!atomic_exchange(&poller->rung, true)) poller->verbs->ring(poller);
}

#endif
