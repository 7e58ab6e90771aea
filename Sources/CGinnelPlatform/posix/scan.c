// The poller that keeps nothing: each wait hands the kernel what it waits for, through poll.
//
// There are no registrations that could be stale and no edges that could be missed. A watch is asked about reading only after a read has said that there is nothing more (`wants_readable`), and
// about writing only after a write has; an event takes the wish back. So what nobody waits for wakes nobody, although poll would report it again and again. The end of the peer is
// reported whatever was asked, once; after that the descriptor is left out, for poll would go on reporting it.
//
// Who writes on another thread and finds the channel full rings the bell if somebody waits, since that wait does not yet know of the wish.
//
// Each wait costs time for each object: right for a thread that has one connection, wrong for a thousand.
#include "posix.h"

#if !defined(_WIN32)

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/// Entries of the set that belong to the poller itself.
enum { BELL = 1, OWN = 2 };

typedef struct scan {
    gn_poller poller;
    gnp_timer timer;
    int bell[2];        ///< the ends to listen at and to ring, which may be one
    atomic_bool waits;  ///< the thread makes up what it waits for, or waits with it
    size_t count, room;
    gnp_watch **watches;
    struct pollfd *set;  ///< an entry for the timer, one for the bell, and one for each watch
} scan;

// MARK: Beginning and end

static void scan_close(gn_poller *poller) {
    scan *closed = (scan *)poller;
    gnp_close(closed->timer.descriptor);
    gnp_close(closed->bell[0]);
    if (closed->bell[1] != closed->bell[0]) gnp_close(closed->bell[1]);
    free(closed->watches);
    free(closed->set);
    free(closed);
}

/// Room for so many watches.
static bool make_room(scan *grown, size_t room) {
    gnp_watch **watches = realloc(grown->watches, room * sizeof *watches);
    if (watches != NULL) grown->watches = watches;
    struct pollfd *set = realloc(grown->set, (OWN + room) * sizeof *set);
    if (set != NULL) grown->set = set;
    if (watches == NULL || set == NULL) return false;
    grown->room = room;
    return true;
}

// MARK: Watches

static int scan_add(gn_poller *poller, gnp_watch *watch) {
    scan *into = (scan *)poller;
    if (into->count == into->room && !make_room(into, into->room * 2)) {
        errno = ENOMEM;
        return -1;
    }
    if (watch->is_doorbell && (watch->edges = gnp_edges_open(watch->descriptor)) < 0) return -1;
    into->watches[into->count++] = watch;
    return 0;
}

static void scan_forget(gn_poller *poller, gnp_watch *watch) {
    scan *from = (scan *)poller;
    size_t index = 0;
    while (index < from->count && from->watches[index] != watch) index++;
    if (index == from->count) return;
    from->count--;
    memmove(&from->watches[index], &from->watches[index + 1], (from->count - index) * sizeof *from->watches);
    if (watch->is_doorbell) gnp_close(watch->edges);
}

static void scan_ring(gn_poller *poller) {
    // Eight bytes are what an eventfd takes; a pipe takes them too.
    const uint64_t one = 1;
    ssize_t written;
    GNP_RETRY(written, "eventfd_write", write(((scan *)poller)->bell[1], &one, sizeof one));
    (void)written;
}

static int scan_want_writable(gn_poller *poller, gnp_watch *watch) {
    (void)watch;
    if (atomic_load(&((scan *)poller)->waits)) gn_poller_wake(poller);
    return 0;
}

// MARK: Waiting

static struct pollfd question(gnp_watch *watch) {
    if (watch->is_doorbell) return (struct pollfd){.fd = watch->edges, .events = POLLIN};
    bool reads = watch->wants_readable, writes = atomic_load(&watch->wants_writable);
    if (watch->is_over && !reads && !writes) return (struct pollfd){.fd = -1};
    int events = (reads ? POLLIN : 0) | (writes ? POLLOUT : 0) | (watch->hung_up ? 0 : gnp_poll_hangup);
    return (struct pollfd){.fd = watch->descriptor, .events = (short)events};
}

/// The contract's words for the answer; 0 when it is none.
static uint32_t translated(gnp_watch *watch, int answer) {
    if (watch->is_doorbell) {
        gnp_edges_take(watch->edges);
        return GN_EVENT_READABLE | GN_EVENT_WRITABLE;
    }
    bool is_over = (answer & (POLLHUP | POLLERR | POLLNVAL)) != 0;
    uint32_t kind = (answer & POLLIN) != 0 ? GN_EVENT_READABLE : 0;
    if (is_over || (answer & gnp_poll_hangup) != 0) {
        watch->hung_up = true;
        watch->is_over = watch->is_over || is_over;
        kind |= GN_EVENT_READABLE | GN_EVENT_HANGUP;
    }
    if ((answer & gnp_poll_gone) != 0) kind |= GN_EVENT_GONE;
    if (kind != 0) watch->wants_readable = false;
    if ((is_over || (answer & POLLOUT) != 0) && atomic_exchange(&watch->wants_writable, false)) kind |= GN_EVENT_WRITABLE;
    return kind;
}

static void hear(scan *rung) {
    uint64_t rings;
    ssize_t taken;
    GNP_RETRY(taken, "eventfd_read", read(rung->bell[0], &rings, sizeof rings));
    (void)taken;
    // Only now: a wake that finds the bell rung is answered by this return, and one that comes from now on rings again.
    atomic_store(&rung->poller.rung, false);
}

static int scan_wait(gn_poller *poller, gn_event *events, size_t capacity, uint64_t timeout_ns) {
    scan *waiting = (scan *)poller;
    struct pollfd *set = waiting->set;
    // First this, then the wishes: a wish is seen here, or its writer sees that it has to ring.
    atomic_store(&waiting->waits, true);
    set[BELL] = (struct pollfd){.fd = waiting->bell[0], .events = POLLIN};
    for (size_t i = 0; i < waiting->count; i++) set[OWN + i] = question(waiting->watches[i]);
    int found = gnp_poll(&waiting->timer, set, OWN + waiting->count, timeout_ns);
    atomic_store(&waiting->waits, false);
    if (found < 0) return -1;
    if (set[BELL].revents != 0) hear(waiting);
    size_t used = 0;
    // What finds no room is asked about again.
    for (size_t i = 0; i < waiting->count && used < capacity && used < INT_MAX; i++) {
        if (set[OWN + i].revents == 0) continue;
        gnp_watch *watch = waiting->watches[i];
        uint32_t kind = translated(watch, set[OWN + i].revents);
        if (kind != 0) events[used++] = (gn_event){.token = watch->token, .kind = kind};
    }
    return (int)used;
}

static const gnp_poller_verbs verbs = {
    .adding = "poll_add",
    .waiting = "poll",
    .close = scan_close,
    .add = scan_add,
    .forget = scan_forget,
    .want_writable = scan_want_writable,
    .wait = scan_wait,
    .ring = scan_ring,
};

gn_outcome gnp_scan_open(gn_poller **poller, gn_error *error) {
    scan *made = gnp_allocate(sizeof *made);
    if (made == NULL) return gnp_fail(error, GN_CODE_NO_MEMORY, ENOMEM, "calloc");
    made->poller.verbs = &verbs;
    made->timer.descriptor = made->bell[0] = made->bell[1] = -1;
    gn_outcome outcome;
    if (!make_room(made, 2)) outcome = gnp_fail(error, GN_CODE_NO_MEMORY, ENOMEM, "realloc");
    else if (gnp_bell_open(made->bell) != 0) outcome = gnp_fail_errno(error, gnp_bell_operation);
    else if (gnp_timer_open(&made->timer) != 0) outcome = gnp_fail_errno(error, "timerfd_create");
    else {
        *poller = &made->poller;
        return GN_DONE;
    }
    scan_close(&made->poller);
    return outcome;
}

#endif
