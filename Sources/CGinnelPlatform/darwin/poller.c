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

const size_t gnp_queue_descriptors = 1;

typedef struct queue {
    gn_poller poller;
    int queue;
} queue;

static int change(gn_poller *poller, uintptr_t identifier, int16_t filter, uint16_t flags, uint32_t filter_flags, void *watch) {
    struct kevent event;
    EV_SET(&event, identifier, filter, flags, filter_flags, 0, watch);
    int result;
    GNP_RETRY(result, "kevent", kevent(((queue *)poller)->queue, &event, 1, NULL, 0, NULL));
    return result;
}

static void queue_close(gn_poller *poller) {
    gnp_close(((queue *)poller)->queue);
    free(poller);
}

// MARK: Watches

static int queue_want_writable(gn_poller *poller, gnp_watch *watch) {
    return change(poller, (uintptr_t)watch->descriptor, EVFILT_WRITE, EV_ADD | EV_ONESHOT, 0, watch);
}

static void queue_forget(gn_poller *poller, gnp_watch *watch) {
    (void)change(poller, (uintptr_t)watch->descriptor, EVFILT_READ, EV_DELETE, 0, NULL);
    if (atomic_load(&watch->wants_writable)) (void)change(poller, (uintptr_t)watch->descriptor, EVFILT_WRITE, EV_DELETE, 0, NULL);
}

static int queue_add(gn_poller *poller, gnp_watch *watch) {
    if (change(poller, (uintptr_t)watch->descriptor, EVFILT_READ, EV_ADD | EV_CLEAR, 0, watch) != 0) return -1;
    if (!atomic_load(&watch->wants_writable) || queue_want_writable(poller, watch) == 0) return 0;
    int native = errno;
    queue_forget(poller, watch);
    errno = native;
    return -1;
}

static void queue_ring(gn_poller *poller) { (void)change(poller, BELL, EVFILT_USER, 0, NOTE_TRIGGER, NULL); }

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

static int queue_wait(gn_poller *poller, gn_event *events, size_t capacity, uint64_t timeout_ns) {
    struct kevent ready[BATCH];
    int found = wait_through_signals(((queue *)poller)->queue, ready, capacity < BATCH ? (int)capacity : BATCH, timeout_ns);
    int used = 0;
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
    return found < 0 ? -1 : used;
}

// MARK: The beginning

static const gnp_poller_verbs verbs = {
    .adding = "kevent",
    .waiting = "kevent_wait",
    .close = queue_close,
    .add = queue_add,
    .forget = queue_forget,
    .want_writable = queue_want_writable,
    .wait = queue_wait,
    .ring = queue_ring,
};

gn_outcome gnp_queue_open(gn_poller **poller, gn_error *error) {
    queue *made = gnp_allocate(sizeof *made);
    if (made == NULL) return gnp_fail(error, GN_CODE_NO_MEMORY, ENOMEM, "calloc");
    made->poller.verbs = &verbs;
    const char *operation = "kqueue";
    GNP_RETRY(made->queue, operation, kqueue());
    if (made->queue >= 0) {
        gnp_handle_prepare(made->queue);
        operation = "kevent";
        if (change(&made->poller, BELL, EVFILT_USER, EV_ADD | EV_CLEAR, 0, NULL) == 0) {
            *poller = &made->poller;
            return GN_DONE;
        }
    }
    gn_outcome outcome = gnp_fail_errno(error, operation);
    queue_close(&made->poller);
    return outcome;
}

#endif
