// Doorbells on Linux: an eventfd that is full, and from which each ring takes one.
//
// The usual way round, adding one, has a flaw between processes that do not trust each other. A descriptor that was sent shares its flags with
// the one that was kept, so whoever hears can fill the counter and take O_NONBLOCK away, and the next ring sleeps for ever. Reading has what writing lacks: a flag
// of the single call (RWF_NOWAIT, for eventfds since Linux 5.8) that nobody else can take away. In semaphore mode a read takes one of 2^64 - 2, so the counter never
// runs out by ringing, and becomes less than full, which is an edge each time for who waits for room in it. Nothing is ever put back.
//
// A peer that sends an empty counter, or writes to it, makes the bell silent for itself or its own ring unheard.
#include "../posix/posix.h"

#if defined(__linux__)

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/uio.h>
#include <unistd.h>

#ifndef RWF_NOWAIT
#define RWF_NOWAIT 0x00000008
#endif

static const uint64_t full = UINT64_MAX - 1;

size_t gn_doorbell_handles(void) { return 1; }

static gn_outcome make(int descriptor, gn_channel *channel, gn_doorbell **doorbell, gn_error *error) {
    gn_doorbell *made = gnp_allocate(sizeof *made);
    if (made == NULL) {
        gnp_close(descriptor);
        return gnp_fail(error, GN_CODE_NO_MEMORY, ENOMEM, "calloc");
    }
    made->watch.descriptor = descriptor;
    made->watch.is_doorbell = true;
    made->channel = channel;
    *doorbell = made;
    return GN_DONE;
}

gn_outcome gn_doorbell_create(gn_channel *channel, gn_doorbell **doorbell, gn_error *error) {
    int descriptor;
    ssize_t written;
    GNP_RETRY(descriptor, "eventfd", eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE));
    if (descriptor < 0) return gnp_fail_errno(error, "eventfd");
    GNP_RETRY(written, "write", write(descriptor, &full, sizeof full));
    if (written == (ssize_t)sizeof full) return make(descriptor, channel, doorbell, error);
    gn_outcome outcome = gnp_fail_errno(error, "write");
    gnp_close(descriptor);
    return outcome;
}

/// The kernel's name for what is behind the descriptor; no file, socket or pipe has one like it.
static bool is_eventfd(int descriptor) {
    char link[32], target[64];
    ssize_t length;
    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    GNP_RETRY(length, "readlink", readlink(link, target, sizeof target - 1));
    if (length < 0) return false;
    target[length] = 0;
    errno = 0;
    return strcmp(target, "anon_inode:[eventfd]") == 0;
}

gn_outcome gn_doorbell_adopt(gn_handle handle, gn_channel *channel, gn_doorbell **doorbell, gn_error *error) {
    if (handle < 0 || handle > INT_MAX) return gnp_fail(error, GN_CODE_UNSAFE, EBADF, "readlink");
    if (is_eventfd((int)handle)) return make((int)handle, channel, doorbell, error);
    gn_outcome outcome = gnp_fail(error, GN_CODE_UNSAFE, errno, "readlink");
    gnp_close((int)handle);
    return outcome;
}

gn_handle gn_doorbell_handle(const gn_doorbell *doorbell) { return doorbell->watch.descriptor; }

void gn_doorbell_ring(gn_doorbell *doorbell) {
    uint64_t taken;
    struct iovec room = {.iov_base = &taken, .iov_len = sizeof taken};
    ssize_t result;
    GNP_RETRY(result, "preadv2", preadv2(doorbell->watch.descriptor, &room, 1, -1, RWF_NOWAIT));
    // An older kernel has only the flag that a hostile peer could take away. EAGAIN is a peer that has sent a bell which cannot ring.
    if (result < 0 && (errno == EOPNOTSUPP || errno == ENOSYS)) GNP_RETRY(result, "read", read(doorbell->watch.descriptor, &taken, sizeof taken));
}

void gn_doorbell_close(gn_doorbell *doorbell) {
    gnp_poller_forget(&doorbell->watch);
    gnp_close(doorbell->watch.descriptor);
    free(doorbell);
}

#endif
