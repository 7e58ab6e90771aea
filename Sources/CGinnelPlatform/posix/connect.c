// Connecting to a listening socket without waiting, and telling apart why that did not work.
//
// A local connect is decided at once: the connection stands in the listener's queue, or the queue is full, or nobody listens.
// The kernel says "refused" for a file that is no socket as well, so that case is looked up.
#include "posix.h"

#if !defined(_WIN32)

static gn_code code_of_connect(int native, const char *path) {
    struct stat status;
    switch (native) {
    case ECONNREFUSED:
    case ENOTSOCK:
        return stat(path, &status) == 0 && !S_ISSOCK(status.st_mode) ? GN_CODE_NOT_A_SOCKET : GN_CODE_REFUSED;
    case EPROTOTYPE:  // a datagram socket
        return GN_CODE_NOT_A_SOCKET;
    default:
        return gnp_code_of(native);
    }
}

gn_outcome gnp_connect(const char *path, int *descriptor, gn_error *error) {
    gnp_address address;
    if (gnp_address_open(path, &address, error) != GN_DONE) return GN_FAILED;
    gn_outcome outcome = GN_DONE;
    int made = gnp_socket_open();
    if (made < 0) {
        outcome = gnp_fail_errno(error, "socket");
    } else {
        int result;
        GNP_RETRY(result, "connect", connect(made, (const struct sockaddr *)&address.name, address.length));
        if (result != 0 && errno != EISCONN) {
            int native = errno;
            outcome = gnp_fail(error, code_of_connect(native, path), native, "connect");
            gnp_close(made);
        }
    }
    gnp_address_close(&address);
    if (outcome == GN_DONE) *descriptor = made;
    return outcome;
}

gn_outcome gn_channel_connect(const char *path, gn_channel **channel, gn_error *error) {
    int descriptor;
    if (gnp_connect(path, &descriptor, error) != GN_DONE) return GN_FAILED;
    return gnp_channel_make(descriptor, channel, error);
}

#endif
