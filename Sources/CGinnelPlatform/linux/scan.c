// What the poller that keeps nothing needs of Linux.
//
// A doorbell is heard by its edges alone, since it stays writable from the first ring on (doorbell.c), and only epoll tells edges. So each has an epoll of its own with
// nothing else in it, which is readable when there was an edge, and is waited for like everything else.
#include "../posix/posix.h"

#if defined(__linux__)

#include <sys/epoll.h>
#include <sys/eventfd.h>

const size_t gnp_scan_descriptors = 1;
const int gnp_poll_hangup = POLLRDHUP, gnp_poll_gone = POLLHUP | POLLERR;
const char *const gnp_bell_operation = "eventfd";

int gnp_bell_open(int bell[2]) {
    GNP_RETRY(bell[0], gnp_bell_operation, eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    bell[1] = bell[0];
    return bell[0] < 0 ? -1 : 0;
}

static int poll_once(struct pollfd *set, size_t count, const struct timespec *timeout) {
    return gnp_fails("poll") ? -1 : ppoll(set, (nfds_t)count, timeout, NULL);
}

int gnp_poll(struct pollfd *set, size_t count, uint64_t timeout_ns) {
    if (timeout_ns == GN_WAIT_FOR_EVER) {
        int found;
        do found = poll_once(set, count, NULL);
        while (found < 0 && errno == EINTR);
        return found;
    }
    uint64_t begun = timeout_ns == 0 ? 0 : gn_clock_awake();
    for (uint64_t left = timeout_ns;;) {
        const struct timespec timeout = {.tv_sec = (time_t)(left / 1000000000u), .tv_nsec = (long)(left % 1000000000u)};
        int found = poll_once(set, count, &timeout);
        if (found >= 0 || errno != EINTR) return found;
        uint64_t passed = timeout_ns == 0 ? 0 : gn_clock_awake() - begun;
        left = passed < timeout_ns ? timeout_ns - passed : 0;
    }
}

int gnp_edges_open(int doorbell) {
    int edges, result;
    GNP_RETRY(edges, "epoll_create1", epoll_create1(EPOLL_CLOEXEC));
    if (edges < 0) return -1;
    struct epoll_event event = {.events = EPOLLOUT | (uint32_t)EPOLLET};
    GNP_RETRY(result, "epoll_ctl", epoll_ctl(edges, EPOLL_CTL_ADD, doorbell, &event));
    if (result == 0) return edges;
    gnp_close(edges);
    return -1;
}

void gnp_edges_take(int edges) {
    struct epoll_event event;
    int count;
    GNP_RETRY(count, "epoll_wait", epoll_wait(edges, &event, 1, 0));
    (void)count;
}

#endif
