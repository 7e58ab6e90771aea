// Sockets as Linux makes them: non-blocking and closed by exec from birth, in one call.
#include "../posix/posix.h"

#if defined(__linux__)

#include <fcntl.h>

const char *const gnp_accept_operation = "accept4";

int gnp_socket_open(void) {
    int descriptor;
    GNP_RETRY(descriptor, "socket", socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    return descriptor;
}

int gnp_socket_pair(int pair[2]) {
    int result;
    GNP_RETRY(result, "socketpair", socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair));
    return result;
}

int gnp_socket_accept(int listener) {
    int descriptor;
    GNP_RETRY(descriptor, "accept4", accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC));
    return descriptor;
}

int gnp_socket_prepare(int descriptor) {
    int flags = fcntl(descriptor, F_GETFL);
    if (flags < 0 || fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) != 0) return -1;
    return fcntl(descriptor, F_SETFD, FD_CLOEXEC);
}

void gnp_handle_prepare(int descriptor) {
    // MSG_CMSG_CLOEXEC has done it.
    (void)descriptor;
}

#endif
