// What the poller that keeps nothing needs of macOS: a pipe to wake it, and a poll that counts in milliseconds. Doorbells ring through their channel and have no edges of their own.
// Written from documented interfaces; has not been run.
#include "../posix/posix.h"

#if defined(__APPLE__)

#include <fcntl.h>
#include <unistd.h>

const size_t gnp_scan_descriptors = 2;
const int gnp_poll_hangup = 0, gnp_poll_gone = POLLERR;
const char *const gnp_bell_operation = "pipe";

int gnp_bell_open(int bell[2]) {
    int result;
    GNP_RETRY(result, gnp_bell_operation, pipe(bell));
    if (result != 0) return -1;
    for (size_t i = 0; i < 2; i++) {
        gnp_handle_prepare(bell[i]);
        (void)fcntl(bell[i], F_SETFL, O_NONBLOCK);
    }
    return 0;
}

int gnp_timer_open(gnp_timer *timer) {
    timer->descriptor = -1;
    return 0;
}

int gnp_poll(gnp_timer *timer, struct pollfd *set, size_t count, uint64_t timeout_ns) {
    set[0] = (struct pollfd){.fd = timer->descriptor};
    bool limited = timeout_ns != 0 && timeout_ns != GN_WAIT_FOR_EVER;
    uint64_t begun = limited ? gn_clock_awake() : 0;
    for (uint64_t left = timeout_ns;;) {
        // Rounded up, so that it is never early; what is too long for one wait takes several.
        uint64_t milliseconds = left / 1000000 + (left % 1000000 != 0);
        int timeout = timeout_ns == GN_WAIT_FOR_EVER ? -1 : milliseconds < INT_MAX ? (int)milliseconds : INT_MAX;
        int found = gnp_fails("poll") ? -1 : poll(set, (nfds_t)count, timeout);
        if (found > 0 || (found < 0 && errno != EINTR)) return found;
        if (limited) {
            uint64_t passed = gn_clock_awake() - begun;
            left = passed < timeout_ns ? timeout_ns - passed : 0;
        }
        if (found == 0 && left == 0) return 0;
    }
}

int gnp_edges_open(int doorbell) {
    (void)doorbell;
    errno = ENOTSUP;
    return -1;
}

void gnp_edges_take(int edges) { (void)edges; }

#endif
