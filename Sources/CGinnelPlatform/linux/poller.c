// The poller over epoll, edge-triggered.
//
// A watch is registered once for reading. Writing is added only when a write has said GN_WOULD_BLOCK and taken away with the
// event that answers it: a socket that is always watched for writing wakes its loop each time the peer reads. Changing a
// registration makes the kernel look at the socket's state anew, so nothing that happened in between is lost.
//
// A limited wait is for ever, and ended by a timer that stays armed from one wait to the next. A time-out given to the kernel
// with each wait costs it setting up and taking down a timer each time, 0.6 µs of a round trip of 8, and callers wait for
// the same far moment again and again. The timer may thus be early, never late.
//
// The kernel hands out the address of the watch with an event. That is safe because objects are removed between two waits, by
// the thread that waits, and EPOLL_CTL_DEL also takes back an event that stands ready.
#include "../posix/posix.h"

#if defined(__linux__)

#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum { BATCH = 128, ALWAYS = EPOLLIN | EPOLLRDHUP };
static const uint32_t edge = EPOLLET;

struct gn_poller {
    int epoll;
    int bell;          ///< an eventfd; edge-triggered, so it need not be read
    int timer;         ///< a timerfd; edge-triggered too
    uint64_t armed;    ///< when it goes off, on the awake clock; 0 when it is not armed
    atomic_bool rung;  ///< a wake is on its way
};

// MARK: Beginning and end

/// Watches a descriptor of the poller's own; `mark` tells it from watches.
static int add_own(gn_poller *poller, int descriptor, void *mark) {
    struct epoll_event event = {.events = EPOLLIN | edge, .data.ptr = mark};
    int result;
    GNP_RETRY(result, "epoll_ctl", epoll_ctl(poller->epoll, EPOLL_CTL_ADD, descriptor, &event));
    return result;
}

gn_outcome gn_poller_open(gn_poller **poller, gn_error *error) {
    gn_poller *made = gnp_allocate(sizeof *made);
    if (made == NULL) return gnp_fail(error, GN_CODE_NO_MEMORY, ENOMEM, "calloc");
    const char *operation = "epoll_create1";
    made->bell = made->timer = -1;
    GNP_RETRY(made->epoll, operation, epoll_create1(EPOLL_CLOEXEC));
    if (made->epoll >= 0) {
        operation = "eventfd";
        GNP_RETRY(made->bell, operation, eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    }
    if (made->bell >= 0) {
        operation = "timerfd_create";
        GNP_RETRY(made->timer, operation, timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
    }
    if (made->timer >= 0) {
        operation = "epoll_ctl";
        if (add_own(made, made->bell, &made->bell) == 0 && add_own(made, made->timer, &made->timer) == 0) {
            *poller = made;
            return GN_DONE;
        }
    }
    gn_outcome outcome = gnp_fail_errno(error, operation);
    gn_poller_close(made);
    return outcome;
}

void gn_poller_close(gn_poller *poller) {
    gnp_close(poller->timer);
    gnp_close(poller->bell);
    gnp_close(poller->epoll);
    free(poller);
}

// MARK: Watches

static int control(gn_poller *poller, int verb, gnp_watch *watch, uint32_t events) {
    struct epoll_event event = {.events = events | edge, .data.ptr = watch};
    int result;
    GNP_RETRY(result, "epoll_ctl", epoll_ctl(poller->epoll, verb, watch->descriptor, &event));
    return result;
}

static gn_outcome add(gn_poller *poller, gnp_watch *watch, uint64_t token, gn_error *error) {
    if (watch->poller != NULL) return gnp_fail(error, GN_CODE_EXISTS, EEXIST, "epoll_ctl");
    if (token == UINT64_MAX) return gnp_fail(error, GN_CODE_INVALID, 0, "epoll_ctl");
    watch->token = token;
    watch->hung_up = false;
    // A ring makes a doorbell writable: see doorbell.c.
    uint32_t events = watch->is_doorbell ? EPOLLOUT : ALWAYS | (atomic_load(&watch->wants_writable) ? EPOLLOUT : 0u);
    if (control(poller, EPOLL_CTL_ADD, watch, events) != 0) return gnp_fail_errno(error, "epoll_ctl");
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
    if (watch->poller == NULL) return;
    (void)epoll_ctl(watch->poller->epoll, EPOLL_CTL_DEL, watch->descriptor, NULL);
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
    // First the wish, then the registration: an event that comes at once must find the wish.
    atomic_store(&watch->wants_writable, true);
    if (watch->poller == NULL || control(watch->poller, EPOLL_CTL_MOD, watch, ALWAYS | EPOLLOUT) == 0) return GN_WOULD_BLOCK;
    return gnp_fail_errno(error, "epoll_ctl");
}

// MARK: Waiting

/// Sees to it that the timer goes off at `time` or before.
static int arm(gn_poller *poller, uint64_t time) {
    if (poller->armed != 0 && poller->armed <= time) return 0;
    struct itimerspec when = {.it_value = {.tv_sec = (time_t)(time / 1000000000u), .tv_nsec = (long)(time % 1000000000u)}};
    int result;
    GNP_RETRY(result, "timerfd_settime", timerfd_settime(poller->timer, TFD_TIMER_ABSTIME, &when, NULL));
    if (result == 0) poller->armed = time;
    return result;
}

/// Waits for the kernel's events; repeated on EINTR, which an armed timer keeps within its limit.
static int wait_for(gn_poller *poller, struct epoll_event *ready, int room, uint64_t timeout_ns) {
    bool limited = timeout_ns != 0 && timeout_ns != GN_WAIT_FOR_EVER;
    if (limited) {
        uint64_t now = gn_clock_awake();
        if (arm(poller, timeout_ns < UINT64_MAX - now ? now + timeout_ns : UINT64_MAX - 1) != 0) return -1;
    }
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

gn_outcome gn_poller_wait(gn_poller *poller, gn_event *events, size_t capacity, uint64_t timeout_ns, size_t *count, gn_error *error) {
    if (capacity == 0) return gnp_fail(error, GN_CODE_INVALID, 0, "epoll_wait");
    struct epoll_event ready[BATCH];
    int found = wait_for(poller, ready, capacity < BATCH ? (int)capacity : BATCH, timeout_ns);
    if (found < 0) return gnp_fail(error, GN_CODE_OTHER, errno, "epoll_wait");
    size_t used = 0;
    for (int i = 0; i < found; i++) {
        if (ready[i].data.ptr == &poller->bell) {
            // A wake that comes from now on rings again; what came before is answered by this return.
            atomic_exchange(&poller->rung, false);
            continue;
        }
        if (ready[i].data.ptr == &poller->timer) {
            poller->armed = 0;
            continue;
        }
        gnp_watch *watch = ready[i].data.ptr;
        uint32_t kind = translated(watch, ready[i].events);
        if (kind != 0) events[used++] = (gn_event){.token = watch->token, .kind = kind};
    }
    *count = used;
    return GN_DONE;
}

void gn_poller_wake(gn_poller *poller) {
    if (atomic_exchange(&poller->rung, true)) return;
    const uint64_t one = 1;
    ssize_t written;
    GNP_RETRY(written, "eventfd_write", write(poller->bell, &one, sizeof one));
    (void)written;
}

#endif
