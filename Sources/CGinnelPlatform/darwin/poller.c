// The poller over kqueue. Reading is registered once with EV_CLEAR, which reports changes only; writing is registered with
// EV_ONESHOT when a write has said GN_WOULD_BLOCK, and goes away with the event that answers it.
//
// The kernel hands out the address of the watch with an event. That is safe because objects are removed between two waits, by
// the thread that waits, and EV_DELETE also takes back an event that stands ready.
// Written from documented interfaces; has not been run.
#include "../posix/posix.h"

#if defined(__APPLE__)

#include <stdlib.h>
#include <sys/event.h>
#include <time.h>

enum { BATCH = 128, BELL = 0 };

struct gn_poller {
    int queue;
    atomic_bool rung;  ///< a wake is on its way
};

static int change(gn_poller *poller, uintptr_t identifier, int16_t filter, uint16_t flags, uint32_t filter_flags, void *watch) {
    struct kevent event;
    EV_SET(&event, identifier, filter, flags, filter_flags, 0, watch);
    int result;
    GNP_RETRY(result, "kevent", kevent(poller->queue, &event, 1, NULL, 0, NULL));
    return result;
}

// MARK: Beginning and end

gn_outcome gn_poller_open(gn_poller **poller, gn_error *error) {
    gn_poller *made = gnp_allocate(sizeof *made);
    if (made == NULL) return gnp_fail(error, GN_CODE_NO_MEMORY, ENOMEM, "calloc");
    const char *operation = "kqueue";
    GNP_RETRY(made->queue, operation, kqueue());
    if (made->queue >= 0) {
        gnp_handle_prepare(made->queue);
        operation = "kevent";
        if (change(made, BELL, EVFILT_USER, EV_ADD | EV_CLEAR, 0, NULL) == 0) {
            *poller = made;
            return GN_DONE;
        }
    }
    gn_outcome outcome = gnp_fail_errno(error, operation);
    gn_poller_close(made);
    return outcome;
}

void gn_poller_close(gn_poller *poller) {
    gnp_close(poller->queue);
    free(poller);
}

// MARK: Watches

static int watch_writing(gnp_watch *watch) {
    return change(watch->poller, (uintptr_t)watch->descriptor, EVFILT_WRITE, EV_ADD | EV_ONESHOT, 0, watch);
}

static gn_outcome add(gn_poller *poller, gnp_watch *watch, uint64_t token, gn_error *error) {
    if (watch->poller != NULL) return gnp_fail(error, GN_CODE_EXISTS, EEXIST, "kevent");
    if (token == UINT64_MAX) return gnp_fail(error, GN_CODE_INVALID, 0, "kevent");
    watch->token = token;
    watch->hung_up = false;
    if (change(poller, (uintptr_t)watch->descriptor, EVFILT_READ, EV_ADD | EV_CLEAR, 0, watch) != 0) return gnp_fail_errno(error, "kevent");
    watch->poller = poller;
    if (!atomic_load(&watch->wants_writable) || watch_writing(watch) == 0) return GN_DONE;
    gn_outcome outcome = gnp_fail_errno(error, "kevent");
    gnp_poller_forget(watch);
    return outcome;
}

gn_outcome gn_poller_add_channel(gn_poller *poller, gn_channel *channel, uint64_t token, gn_error *error) {
    return add(poller, &channel->watch, token, error);
}

gn_outcome gn_poller_add_listener(gn_poller *poller, gn_listener *listener, uint64_t token, gn_error *error) {
    return add(poller, &listener->watch, token, error);
}

gn_outcome gn_poller_add_doorbell(gn_poller *poller, gn_doorbell *doorbell, uint64_t token, gn_error *error) {
    // Its channel is heard already; what is left is to keep the contract about adding twice.
    if (doorbell->watch.poller != NULL) return gnp_fail(error, GN_CODE_EXISTS, EEXIST, "kevent");
    if (token == UINT64_MAX) return gnp_fail(error, GN_CODE_INVALID, 0, "kevent");
    doorbell->watch.poller = poller;
    return GN_DONE;
}

void gnp_poller_forget(gnp_watch *watch) {
    if (watch->poller == NULL) return;
    (void)change(watch->poller, (uintptr_t)watch->descriptor, EVFILT_READ, EV_DELETE, 0, NULL);
    if (atomic_load(&watch->wants_writable)) {
        (void)change(watch->poller, (uintptr_t)watch->descriptor, EVFILT_WRITE, EV_DELETE, 0, NULL);
    }
    watch->poller = NULL;
}

void gn_poller_remove_channel(gn_poller *poller, gn_channel *channel) {
    if (channel->watch.poller == poller) gnp_poller_forget(&channel->watch);
}

void gn_poller_remove_listener(gn_poller *poller, gn_listener *listener) {
    if (listener->watch.poller == poller) gnp_poller_forget(&listener->watch);
}

void gn_poller_remove_doorbell(gn_poller *poller, gn_doorbell *doorbell) {
    if (doorbell->watch.poller == poller) doorbell->watch.poller = NULL;
}

gn_outcome gnp_poller_want_writable(gnp_watch *watch, gn_error *error) {
    // First the wish, then the registration: an event that comes at once must find the wish.
    atomic_store(&watch->wants_writable, true);
    if (watch->poller == NULL || watch_writing(watch) == 0) return GN_WOULD_BLOCK;
    return gnp_fail_errno(error, "kevent");
}

// MARK: Waiting

static int wait_through_signals(int queue, struct kevent *ready, int room, uint64_t timeout_ns) {
    uint64_t begin = gn_clock_awake();
    for (uint64_t left = timeout_ns;;) {
        struct timespec timeout = {.tv_sec = (time_t)(left / 1000000000u), .tv_nsec = (long)(left % 1000000000u)};
        int count = gnp_fails("kevent_wait") ? -1 : kevent(queue, NULL, 0, ready, room, timeout_ns == GN_WAIT_FOR_EVER ? NULL : &timeout);
        if (count >= 0 || errno != EINTR) return count;
        uint64_t passed = gn_clock_awake() - begin;
        left = passed < timeout_ns ? timeout_ns - passed : 0;
    }
}

/// The contract's words for the kernel's; 0 when nobody asked for what has happened.
static uint32_t translated(gnp_watch *watch, const struct kevent *event) {
    uint32_t kind = 0;
    if (event->filter == EVFILT_READ) {
        kind = GN_EVENT_READABLE;
        if ((event->flags & EV_EOF) != 0) {
            watch->hung_up = true;
            kind |= GN_EVENT_HANGUP;
        }
    } else if (event->filter == EVFILT_WRITE && atomic_load(&watch->wants_writable)) {
        atomic_store(&watch->wants_writable, false);
        kind = GN_EVENT_WRITABLE;
    }
    return kind;
}

gn_outcome gn_poller_wait(gn_poller *poller, gn_event *events, size_t capacity, uint64_t timeout_ns, size_t *count, gn_error *error) {
    if (capacity == 0) return gnp_fail(error, GN_CODE_INVALID, 0, "kevent_wait");
    struct kevent ready[BATCH];
    int found = wait_through_signals(poller->queue, ready, capacity < BATCH ? (int)capacity : BATCH, timeout_ns);
    if (found < 0) return gnp_fail(error, GN_CODE_OTHER, errno, "kevent_wait");
    size_t used = 0;
    for (int i = 0; i < found; i++) {
        gnp_watch *watch = ready[i].udata;
        if (watch == NULL) {
            // A wake that comes from now on rings again; what came before is answered by this return.
            atomic_exchange(&poller->rung, false);
            continue;
        }
        uint32_t kind = translated(watch, &ready[i]);
        if (kind != 0) events[used++] = (gn_event){.token = watch->token, .kind = kind};
    }
    *count = used;
    return GN_DONE;
}

void gn_poller_wake(gn_poller *poller) {
    if (atomic_exchange(&poller->rung, true)) return;
    (void)change(poller, BELL, EVFILT_USER, 0, NOTE_TRIGGER, NULL);
}

#endif
