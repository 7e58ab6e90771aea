// Channels: connected stream sockets. Reading and writing are the hot path, one system call each.
//
// Reading gives room for control data only where descriptors are wanted, if the kernel closes those that find none, and says so (posix.h). Whether a read was
// the last worth trying (`drained`) follows from its being short, with two exceptions: the kernel stops early behind bytes that carry
// descriptors, wanted or not, and once the peer has hung up no further event will come.
// Writing asks the poller for GN_EVENT_WRITABLE only after the kernel has said no; a socket that always listens for
// it wakes its loop each time the peer reads.
#include "posix.h"

#if !defined(_WIN32)

#include <stdlib.h>

enum { SPANS = 64 };

gn_outcome gnp_channel_make(int descriptor, gn_channel **channel, gn_error *error) {
    gn_channel *made = gnp_allocate(sizeof *made);
    if (made == NULL) {
        gnp_close(descriptor);
        return gnp_fail(error, GN_CODE_NO_MEMORY, ENOMEM, "calloc");
    }
    made->watch.descriptor = descriptor;
    *channel = made;
    return GN_DONE;
}

// MARK: Reading

/// What the kernel brought, or -1 with errno. `*plain`: no control data came with it.
static ssize_t receive(gn_channel *channel, void *bytes, size_t capacity, bool *plain) {
    ssize_t taken;
    bool discarded = false;
    struct iovec room = {.iov_base = bytes, .iov_len = capacity};
    struct msghdr message = {.msg_iov = &room, .msg_iovlen = 1};
    gnp_control control;
    if (channel->takes_handles || GNP_ALWAYS_ROOM) {
        message.msg_control = control.bytes;
        message.msg_controllen = sizeof control.bytes;
    }
    for (;;) {
        GNP_RETRY(taken, "recvmsg", recvmsg(channel->watch.descriptor, &message, GNP_RECEIVE_FLAGS));
        if (taken >= 0 || errno != EMSGSIZE) break;
        // macOS, when our table of descriptors is full: it has closed those of the next message, and the bytes are still to be had.
        discarded = true;
        if (channel->takes_handles) channel->lost_handles = true;
    }
    if (taken < 0) return taken;
    *plain = !discarded && message.msg_controllen == 0 && (message.msg_flags & MSG_CTRUNC) == 0;
    if (message.msg_control != NULL && !*plain) gnp_handles_receive(channel, &message);
    return taken;
}

gn_outcome gn_channel_read(gn_channel *channel, void *bytes, size_t capacity, size_t *count, bool *drained, gn_error *error) {
    if (gnp_fault_shortens("recvmsg")) capacity = 1;
    bool plain;
    ssize_t taken = receive(channel, bytes, capacity, &plain);
    if (taken < 0) {
        if (errno != EAGAIN && errno != EWOULDBLOCK) return gnp_fail_errno(error, "recvmsg");
        channel->watch.wants_readable = true;
        return GN_WOULD_BLOCK;
    }
    if (taken == 0) return GN_END;
    *count = (size_t)taken;
    *drained = plain && *count < capacity && !channel->watch.hung_up;
    if (*drained) channel->watch.wants_readable = true;
    return GN_DONE;
}

// MARK: Writing

static gn_outcome send_spans(gn_channel *channel, const gn_span *spans, size_t span_count, struct msghdr *message, size_t *count,
                             gn_error *error) {
    if (span_count == 0 || span_count > SPANS) return gnp_fail(error, GN_CODE_INVALID, 0, "sendmsg");
    struct iovec pieces[SPANS];
    size_t used = 0;
    for (size_t i = 0; i < span_count; i++) {
        if (spans[i].count == 0) continue;
        // sendmsg does not write through the pointer; its type is shared with recvmsg.
        pieces[used++] = (struct iovec){.iov_base = (void *)(uintptr_t)spans[i].bytes, .iov_len = spans[i].count};
    }
    if (used == 0) return gnp_fail(error, GN_CODE_INVALID, 0, "sendmsg");
    if (gnp_fault_shortens("sendmsg")) {
        used = 1;
        pieces[0].iov_len = 1;
    }
    message->msg_iov = pieces;
    message->msg_iovlen = (__typeof__(message->msg_iovlen))used;
    ssize_t given;
    if (used == 1 && message->msg_control == NULL) {
        // The same step with less for the kernel to copy in: the common case of one small message.
        GNP_RETRY(given, "sendmsg", send(channel->watch.descriptor, pieces[0].iov_base, pieces[0].iov_len, GNP_SEND_FLAGS));
    } else {
        GNP_RETRY(given, "sendmsg", sendmsg(channel->watch.descriptor, message, GNP_SEND_FLAGS));
    }
    if (given < 0) {
        if (errno == EAGAIN || errno == EWOULDBLOCK) return gnp_poller_want_writable(&channel->watch, error);
        return gnp_fail_errno(error, "sendmsg");
    }
    *count = (size_t)given;
    return GN_DONE;
}

gn_outcome gn_channel_write(gn_channel *channel, const gn_span *spans, size_t span_count, size_t *count, gn_error *error) {
    struct msghdr message = {0};
    return send_spans(channel, spans, span_count, &message, count, error);
}

gn_outcome gn_channel_write_handles(gn_channel *channel, const gn_span *spans, size_t span_count, const gn_handle *handles,
                                    size_t handle_count, size_t *count, gn_error *error) {
    if (handle_count == 0 || handle_count > GN_HANDLES_PER_WRITE) return gnp_fail(error, GN_CODE_INVALID, 0, "sendmsg");
    for (size_t i = 0; i < handle_count; i++) {
        // A handle that is cut to a descriptor's size could name another file.
        if (handles[i] < 0 || handles[i] > INT_MAX) return gnp_fail(error, GN_CODE_INVALID, EBADF, "sendmsg");
    }
    struct msghdr message = {0};
    gnp_control control;
    gnp_handles_attach(&message, &control, handles, handle_count);
    return send_spans(channel, spans, span_count, &message, count, error);
}

gn_outcome gn_channel_half_close(gn_channel *channel, gn_error *error) {
    int result;
    GNP_RETRY(result, "shutdown", shutdown(channel->watch.descriptor, SHUT_WR));
    return result == 0 ? GN_DONE : gnp_fail_errno(error, "shutdown");
}

// MARK: Beginning and end

gn_outcome gn_channel_pair(gn_channel **first, gn_channel **second, gn_error *error) {
    int pair[2];
    gn_channel *made;
    if (gnp_socket_pair(pair) != 0) return gnp_fail_errno(error, "socketpair");
    if (gnp_channel_make(pair[0], &made, error) != GN_DONE) {
        gnp_close(pair[1]);
        return GN_FAILED;
    }
    if (gnp_channel_make(pair[1], second, error) != GN_DONE) {
        gn_channel_abort(made);
        return GN_FAILED;
    }
    *first = made;
    return GN_DONE;
}

gn_outcome gnp_adopt(gn_handle handle, bool listening, gn_error *error) {
    if (handle < 0 || handle > INT_MAX) return gnp_fail(error, GN_CODE_INVALID, EBADF, "getsockopt");
    int descriptor = (int)handle, type = 0, accepts = 0;
    socklen_t type_size = sizeof type, accepts_size = sizeof accepts;
    struct sockaddr_un name, peer;
    socklen_t name_size = sizeof name, peer_size = sizeof peer;
    if (getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &type_size) != 0 ||
        getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &accepts, &accepts_size) != 0) {
        return gnp_fail(error, GN_CODE_INVALID, errno, "getsockopt");
    }
    if (getsockname(descriptor, (struct sockaddr *)&name, &name_size) != 0 || name.sun_family != AF_UNIX || type != SOCK_STREAM ||
        (accepts != 0) != listening) {
        return gnp_fail(error, GN_CODE_INVALID, 0, "getsockname");
    }
    if (!listening && getpeername(descriptor, (struct sockaddr *)&peer, &peer_size) != 0) {
        return gnp_fail(error, GN_CODE_INVALID, errno, "getpeername");
    }
    return gnp_socket_prepare(descriptor) == 0 ? GN_DONE : gnp_fail_errno(error, "fcntl");
}

gn_outcome gn_channel_adopt(gn_handle handle, gn_channel **channel, gn_error *error) {
    if (gnp_adopt(handle, false, error) != GN_DONE) return GN_FAILED;
    gn_channel *made = gnp_allocate(sizeof *made);
    if (made == NULL) return gnp_fail(error, GN_CODE_NO_MEMORY, ENOMEM, "calloc");
    made->watch.descriptor = (int)handle;
    *channel = made;
    return GN_DONE;
}

gn_handle gn_channel_release(gn_channel *channel) {
    gnp_poller_forget(&channel->watch);
    gn_channel_refuse_handles(channel);
    gn_handle handle = channel->watch.descriptor;
    free(channel);
    return handle;
}

void gn_channel_abort(gn_channel *channel) { gn_handle_close(gn_channel_release(channel)); }

void gn_channel_close(gn_channel *channel, uint64_t drain_limit_ns) {
    // The kernel keeps what was written until the peer has read it, however the descriptor ends.
    (void)drain_limit_ns;
    gn_channel_abort(channel);
}

gn_outcome gn_channel_set_buffers(gn_channel *channel, size_t send, size_t receive, gn_error *error) {
    const struct { int option; size_t size; } wanted[] = {{SO_SNDBUF, send}, {SO_RCVBUF, receive}};
    for (size_t i = 0; i < 2; i++) {
        if (wanted[i].size == 0) continue;
        int size = wanted[i].size > INT_MAX / 2 ? INT_MAX / 2 : (int)wanted[i].size;
        if (setsockopt(channel->watch.descriptor, SOL_SOCKET, wanted[i].option, &size, sizeof size) != 0) {
            return gnp_fail(error, GN_CODE_OTHER, errno, "setsockopt");
        }
    }
    return GN_DONE;
}

#endif
