// Descriptors that travel between processes: into and out of control data, and a ring of those that wait in a channel.
//
// The kernel never merges two messages that both carry descriptors into one read, so what arrives is what one sender sent at
// once, and first in, first out over the whole channel is the order of sending. A message whose descriptors do not all find a
// place keeps none: half of them would be taken for the wrong ones.
#include "posix.h"

#if !defined(_WIN32)

#include <string.h>

void gnp_handles_receive(gn_channel *channel, struct msghdr *message) {
    bool whole = (message->msg_flags & MSG_CTRUNC) == 0;
    int received[GNP_HANDLES_ROOM];
    size_t count = 0;
    for (struct cmsghdr *each = CMSG_FIRSTHDR(message); each != NULL; each = CMSG_NXTHDR(message, each)) {
        if (each->cmsg_level != SOL_SOCKET || each->cmsg_type != SCM_RIGHTS) continue;
        size_t part = (each->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        if (part > GNP_HANDLES_ROOM - count) part = GNP_HANDLES_ROOM - count;
        memcpy(received + count, CMSG_DATA(each), part * sizeof(int));
        count += part;
    }
    if (channel->handle_count + count > GN_HANDLES_WAITING) whole = false;
    if (!whole && channel->takes_handles) channel->lost_handles = true;
    for (size_t i = 0; i < count; i++) {
        if (!whole || !channel->takes_handles) {
            gnp_close(received[i]);
            continue;
        }
        gnp_handle_prepare(received[i]);
        channel->handles[(channel->first_handle + channel->handle_count++) % GN_HANDLES_WAITING] = received[i];
    }
}

void gnp_handles_attach(struct msghdr *message, gnp_control *control, const gn_handle *handles, size_t count) {
    int descriptors[GN_HANDLES_PER_WRITE];
    for (size_t i = 0; i < count; i++) descriptors[i] = (int)handles[i];
    memset(control, 0, CMSG_SPACE(count * sizeof(int)));
    message->msg_control = control->bytes;
    message->msg_controllen = CMSG_SPACE(count * sizeof(int));
    struct cmsghdr *header = CMSG_FIRSTHDR(message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(count * sizeof(int));
    memcpy(CMSG_DATA(header), descriptors, count * sizeof(int));
}

void gn_channel_accept_handles(gn_channel *channel) { channel->takes_handles = true; }

void gn_channel_refuse_handles(gn_channel *channel) {
    channel->takes_handles = false;
    for (gn_handle each = gn_channel_take_handle(channel); each != GN_NO_HANDLE; each = gn_channel_take_handle(channel)) {
        gn_handle_close(each);
    }
}

gn_handle gn_channel_take_handle(gn_channel *channel) {
    if (channel->handle_count == 0) return GN_NO_HANDLE;
    int oldest = channel->handles[channel->first_handle];
    channel->first_handle = (channel->first_handle + 1) % GN_HANDLES_WAITING;
    channel->handle_count--;
    return oldest;
}

bool gn_channel_lost_handles(gn_channel *channel) {
    bool lost = channel->lost_handles;
    channel->lost_handles = false;
    return lost;
}

// MARK: Numbers

bool gn_handles_travel(void) { return true; }

gn_outcome gn_channel_lend_handle(gn_channel *channel, gn_handle handle, uint64_t *number, gn_error *error) {
    // No process can put a descriptor into another; they travel beside bytes.
    (void)channel, (void)handle, (void)number;
    return gnp_fail(error, GN_CODE_UNSUPPORTED, 0, "gn_channel_lend_handle");
}

gn_outcome gn_handle_claim(uint64_t number, gn_handle *handle, gn_error *error) {
    (void)number, (void)handle;
    return gnp_fail(error, GN_CODE_UNSUPPORTED, 0, "gn_handle_claim");
}

void gn_handle_close(gn_handle handle) { gnp_close((int)handle); }

#endif
