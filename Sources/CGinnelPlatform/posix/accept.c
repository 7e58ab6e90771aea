// Taking connections from a listener, also when there is no descriptor left to take them with.
//
// A process that runs out of descriptors cannot accept, and a connection that is not accepted stays in the queue and keeps
// the listener ready. So each listener holds one descriptor back, gives it up to take the connection, says why it cannot
// stay, and takes the descriptor back.
#include "posix.h"

#if !defined(_WIN32)

#include <fcntl.h>

/// The next connection, -1 with errno. Clients that have gone again are passed over.
static int next_connection(const gn_listener *listener) {
    for (;;) {
        int descriptor = gnp_socket_accept(listener->watch.descriptor);
        if (descriptor >= 0 || (errno != ECONNABORTED && errno != EPROTO)) return descriptor;
    }
}

/// There was none: nobody waits, or errno says why.
static gn_outcome none(gn_listener *listener, gn_error *error) {
    if (errno != EAGAIN && errno != EWOULDBLOCK) return gnp_fail_errno(error, gnp_accept_operation);
    listener->watch.wants_readable = true;
    return GN_WOULD_BLOCK;
}

gn_outcome gn_listener_accept(gn_listener *listener, gn_channel **channel, gn_error *error) {
    int descriptor = next_connection(listener);
    return descriptor >= 0 ? gnp_channel_make(descriptor, channel, error) : none(listener, error);
}

gn_outcome gn_listener_refuse(gn_listener *listener, const void *bytes, size_t count, gn_error *error) {
    // Somebody else may have been quicker to take the place that the reserve left the last time.
    if (listener->reserve < 0) listener->reserve = fcntl(listener->watch.descriptor, F_DUPFD_CLOEXEC, 0);
    if (listener->reserve < 0) return gnp_fail_errno(error, "fcntl");
    gnp_close(listener->reserve);
    gn_outcome outcome = GN_DONE;
    int descriptor = next_connection(listener);
    if (descriptor < 0) {
        outcome = none(listener, error);
    } else if (count > 0) {
        // As far as they fit: what the client makes of a cut refusal is up to it.
        ssize_t sent;
        GNP_RETRY(sent, "send", send(descriptor, bytes, count, GNP_SEND_FLAGS));
        (void)sent;
    }
    gnp_close(descriptor);
    listener->reserve = fcntl(listener->watch.descriptor, F_DUPFD_CLOEXEC, 0);
    return outcome;
}

#endif
