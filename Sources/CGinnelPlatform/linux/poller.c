// The poller over epoll, edge-triggered.
//
// A watch is registered once for reading. Writing is added only when a write has said GN_WOULD_BLOCK and taken away with the
// event that answers it: a socket that is always watched for writing wakes its loop each time the peer reads. Changing a
// registration makes the kernel look at the socket's state anew, so nothing that happened in between is lost.
//
// A limited wait is for ever, and ended by a timer that stays armed from one wait to the next (timer.c).
//
// The kernel hands out the address of the watch with an event. That is safe because objects are removed between two waits, by
// the thread that waits, and EPOLL_CTL_DEL also takes back an event that stands ready.
#include "../posix/posix.h"

#if defined(__linux__)

#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { BATCH = 128, ALWAYS = EPOLLIN | EPOLLRDHUP };
static const uint32_t edge = EPOLLET;

const size_t gnp_queue_descriptors = 3;

typedef struct queue {
    gn_poller poller;
    int epoll;
    int bell;         ///< an eventfd; edge-triggered, so it need not be read
    gnp_timer timer;  ///< edge-triggered too
} queue;

static void queue_close(gn_poller *poller) {
    queue *closed = (queue *)poller;
    gnp_close(closed->timer.descriptor);
    gnp_close(closed->bell);
    gnp_close(closed->epoll);
    free(closed);
}

// MARK: Watches

static int control(gn_poller *poller, int verb, gnp_watch *watch, uint32_t events) {
    struct epoll_event event = {.events = events | edge, .data.ptr = watch};
    int result;
    GNP_RETRY(result, "epoll_ctl", epoll_ctl(((queue *)poller)->epoll, verb, watch->descriptor, &event));
    return result;
}

static int queue_add(gn_poller *poller, gnp_watch *watch) {
    // A ring makes a doorbell writable: see doorbell.c.
    uint32_t events = watch->is_doorbell ? EPOLLOUT : ALWAYS | (atomic_load(&watch->wants_writable) ? EPOLLOUT : 0u);
    return control(poller, EPOLL_CTL_ADD, watch, events);
}

static void queue_forget(gn_poller *poller, gnp_watch *watch) {
    (void)epoll_ctl(((queue *)poller)->epoll, EPOLL_CTL_DEL, watch->descriptor, NULL);
}

static int queue_want_writable(gn_poller *poller, gnp_watch *watch) { return control(poller, EPOLL_CTL_MOD, watch, ALWAYS | EPOLLOUT); }

static void queue_ring(gn_poller *poller) {
    const uint64_t one = 1;
    ssize_t written;
    GNP_RETRY(written, "eventfd_write", write(((queue *)poller)->bell, &one, sizeof one));
    (void)written;
}

// MARK: Waiting

/// Waits for the kernel's events; repeated on EINTR, which an armed timer keeps within its limit.
static int wait_for(queue *poller, struct epoll_event *ready, int room, uint64_t timeout_ns) {
    if (timeout_ns != 0 && timeout_ns != GN_WAIT_FOR_EVER && gnp_timer_limit(&poller->timer, timeout_ns) != 0) return -1;
    int count;
    GNP_RETRY(count, "epoll_wait", epoll_wait(poller->epoll, ready, room, timeout_ns == 0 ? 0 : -1));
    return count;
}

/// The contract's words for the kernel's; 0 when nobody asked for what has happened.
static uint32_t translated(gnp_watch *watch, uint32_t events) {
    if (watch->is_doorbell) return GN_EVENT_READABLE | GN_EVENT_WRITABLE;
    uint32_t kind = (events & EPOLLIN) != 0 ? GN_EVENT_READABLE : 0;
    if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) {
        watch->hung_up = true;
        kind |= GN_EVENT_READABLE | GN_EVENT_HANGUP;
    }
    if ((events & (EPOLLHUP | EPOLLERR)) != 0) kind |= GN_EVENT_GONE;
    if ((events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0 && atomic_load(&watch->wants_writable)) {
        atomic_store(&watch->wants_writable, false);
        (void)control(watch->poller, EPOLL_CTL_MOD, watch, ALWAYS);
        kind |= GN_EVENT_WRITABLE;
    }
    return kind;
}

static int queue_wait(gn_poller *poller, gn_event *events, size_t capacity, uint64_t timeout_ns) {
    queue *waiting = (queue *)poller;
    struct epoll_event ready[BATCH];
    int found = wait_for(waiting, ready, capacity < BATCH ? (int)capacity : BATCH, timeout_ns);
    int used = 0;
    for (int i = 0; i < found; i++) {
        if (ready[i].data.ptr == &waiting->bell) {
            // A wake that comes from now on rings again; what came before is answered by this return.
            atomic_exchange(&poller->rung, false);
            continue;
        }
        if (ready[i].data.ptr == &waiting->timer) {
            waiting->timer.armed = 0;
            continue;
        }
        gnp_watch *watch = ready[i].data.ptr;
        uint32_t kind = translated(watch, ready[i].events);
        if (kind != 0) events[used++] = (gn_event){.token = watch->token, .kind = kind};
    }
    return found < 0 ? -1 : used;
}

// MARK: The beginning

static const gnp_poller_verbs verbs = {
    .adding = "epoll_ctl",
    .waiting = "epoll_wait",
    .close = queue_close,
    .add = queue_add,
    .forget = queue_forget,
    .want_writable = queue_want_writable,
    .wait = queue_wait,
    .ring = queue_ring,
};

/// Watches a descriptor of the poller's own; `mark` tells it from watches.
static int add_own(queue *poller, int descriptor, void *mark) {
    struct epoll_event event = {.events = EPOLLIN | edge, .data.ptr = mark};
    int result;
    GNP_RETRY(result, "epoll_ctl", epoll_ctl(poller->epoll, EPOLL_CTL_ADD, descriptor, &event));
    return result;
}

gn_outcome gnp_queue_open(gn_poller **poller, gn_error *error) {
    queue *made = gnp_allocate(sizeof *made);
    if (made == NULL) return gnp_fail(error, GN_CODE_NO_MEMORY, ENOMEM, "calloc");
    made->poller.verbs = &verbs;
    const char *operation = "epoll_create1";
    made->bell = made->timer.descriptor = -1;
    GNP_RETRY(made->epoll, operation, epoll_create1(EPOLL_CLOEXEC));
    if (made->epoll >= 0) {
        operation = "eventfd";
        GNP_RETRY(made->bell, operation, eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    }
    if (made->bell >= 0) {
        operation = "timerfd_create";
        (void)gnp_timer_open(&made->timer);
    }
    if (made->timer.descriptor >= 0) {
        operation = "epoll_ctl";
        if (add_own(made, made->bell, &made->bell) == 0 && add_own(made, made->timer.descriptor, &made->timer) == 0) {
            *poller = &made->poller;
            return GN_DONE;
        }
    }
    gn_outcome outcome = gnp_fail_errno(error, operation);
    queue_close(&made->poller);
    return outcome;
}

#endif
