// What the poller that keeps nothing needs of Linux.
//
// A doorbell is heard by its edges alone, since it stays writable from the first ring on (doorbell.c), and only epoll tells edges. So each has an epoll of its own with
// nothing else in it, which is readable when there was an edge, and is waited for like everything else.
#include "../posix/posix.h"

#if defined(__linux__)

#include <sys/epoll.h>
#include <sys/eventfd.h>

const size_t gnp_scan_descriptors = 2;
const int gnp_poll_hangup = POLLRDHUP, gnp_poll_gone = POLLHUP | POLLERR;
const char *const gnp_bell_operation = "eventfd";

int gnp_bell_open(int bell[2]) {
    GNP_RETRY(bell[0], gnp_bell_operation, eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    bell[1] = bell[0];
    return bell[0] < 0 ? -1 : 0;
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
