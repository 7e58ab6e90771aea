// Sockets as macOS makes them: each property is a call of its own. Between making a descriptor and marking it, a fork in
// another thread can copy it; children that are started here are kept clean by POSIX_SPAWN_CLOEXEC_DEFAULT (process.c).
// Written from documented interfaces; has not been run.
#include "../posix/posix.h"

#if defined(__APPLE__)

#include <fcntl.h>

const char *const gnp_accept_operation = "accept";

int gnp_socket_prepare(int descriptor) {
    const int on = 1;
    int flags = fcntl(descriptor, F_GETFL);
    if (flags < 0 || fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) != 0) return -1;
    if (setsockopt(descriptor, SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof on) != 0 && errno != EINVAL) return -1;
    return fcntl(descriptor, F_SETFD, FD_CLOEXEC);
}

/// The descriptor when it could be prepared; otherwise it is closed.
static int prepared(int descriptor) {
    if (descriptor < 0 || gnp_socket_prepare(descriptor) == 0) return descriptor;
    gnp_close(descriptor);
    return -1;
}

int gnp_socket_open(void) {
    int descriptor;
    GNP_RETRY(descriptor, "socket", socket(AF_UNIX, SOCK_STREAM, 0));
    return prepared(descriptor);
}

int gnp_socket_pair(int pair[2]) {
    int result;
    GNP_RETRY(result, "socketpair", socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    if (result != 0) return -1;
    if (prepared(pair[0]) < 0) {
        gnp_close(pair[1]);
        return -1;
    }
    if (prepared(pair[1]) < 0) {
        gnp_close(pair[0]);
        return -1;
    }
    return 0;
}

int gnp_socket_accept(int listener) {
    int descriptor;
    GNP_RETRY(descriptor, "accept", accept(listener, NULL, NULL));
    return prepared(descriptor);
}

void gnp_handle_prepare(int descriptor) { (void)fcntl(descriptor, F_SETFD, FD_CLOEXEC); }

#endif
