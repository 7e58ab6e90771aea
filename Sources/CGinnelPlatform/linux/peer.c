// Who is at the other end, on Linux.
//
// SO_PEERCRED names the process that connected (or listened) by a number, and numbers are used again. SO_PEERPIDFD (6.5) gives
// a descriptor for that very process instead; as long as it has not ended, /proc/<pid> is its directory. So: take the
// descriptor, read, and see that the process was alive before and after. On older kernels the descriptor is opened by number
// and counts only while the connection is open: a process that has ended has closed its end, unless it had given it away.
//
// The path of a program is the one in the process's own mount namespace, which any user can make and fill as he likes. It counts
// only when the very file that runs has that path for us too.
#include "../posix/posix.h"

#if defined(__linux__)

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
static short state_of(int descriptor, short wanted) {
    struct pollfd each = {.fd = descriptor, .events = wanted};
    int result;
    GNP_RETRY(result, "poll", poll(&each, 1, 0));
    return result < 0 ? POLLERR : each.revents;
}

/// A pidfd is readable when its process has ended.
static bool lives(int pidfd) { return state_of(pidfd, POLLIN) == 0; }

/// A descriptor for the peer's process, or -1 when it has ended or the kernel cannot tell.
static int open_process(int socket, uint32_t process) {
    int pidfd = -1, result;
    socklen_t size = sizeof pidfd;
    GNP_RETRY(result, "getsockopt", getsockopt(socket, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &size));
    if (result == 0) return pidfd;
    if (errno != ENOPROTOOPT) return -1;
    GNP_RETRY(pidfd, "pidfd_open", (int)syscall(SYS_pidfd_open, (pid_t)process, 0u));
    if (pidfd < 0 || (state_of(socket, 0) & (POLLHUP | POLLERR)) == 0) return pidfd;
    gnp_close(pidfd);
    return -1;
}

static bool read_path(const char *link, char *path, size_t capacity) {
    ssize_t length;
    GNP_RETRY(length, "readlink", readlink(link, path, capacity));
    // As long as the room means cut.
    bool whole = length > 0 && (size_t)length < capacity;
    path[whole ? length : 0] = 0;
    return whole;
}

/// Whether the file is what `path` names for us, or its name is that of a file that is gone, which claims no place.
static bool is_named(int file, const char *path) {
    static const char mark[] = " (deleted)";
    struct stat running, named;
    if (fstat(file, &running) != 0) return false;
    if (stat(path, &named) == 0) return running.st_dev == named.st_dev && running.st_ino == named.st_ino;
    size_t length = strlen(path);
    return errno == ENOENT && length >= sizeof mark && strcmp(path + length - (sizeof mark - 1), mark) == 0;
}

/// Opens the program once, without reading it, so that path and digest are those of one file whatever the process runs next.
static uint32_t read_program(uint32_t wanted, gn_peer *peer) {
    char link[64];
    int file;
    (void)snprintf(link, sizeof link, "/proc/%lu/exe", (unsigned long)peer->process);
    GNP_RETRY(file, "openat", openat(AT_FDCWD, link, O_PATH | O_CLOEXEC));
    if (file < 0) return 0;
    uint32_t known = 0;
    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    if ((wanted & GN_PEER_EXECUTABLE) != 0 && read_path(link, peer->executable, sizeof peer->executable) &&
        is_named(file, peer->executable)) {
        known |= GN_PEER_EXECUTABLE;
    }
    if ((wanted & GN_PEER_DIGEST) != 0 && gnp_program_digest(link, peer->digest)) known |= GN_PEER_DIGEST;
    gnp_close(file);
    return known;
}

static void identify_program(int socket, uint32_t wanted, gn_peer *peer) {
    int pidfd = open_process(socket, peer->process);
    if (pidfd < 0) return;
    uint32_t known = lives(pidfd) ? read_program(wanted, peer) : 0;
    if (!lives(pidfd)) known = 0;
    if ((known & GN_PEER_EXECUTABLE) == 0) memset(peer->executable, 0, sizeof peer->executable);
    if ((known & GN_PEER_DIGEST) == 0) memset(peer->digest, 0, sizeof peer->digest);
    peer->known |= known;
    gnp_close(pidfd);
}

gn_outcome gn_peer_identify(gn_channel *channel, uint32_t wanted, gn_peer *peer, gn_error *error) {
    memset(peer, 0, sizeof *peer);
    struct ucred credentials;
    socklen_t size = sizeof credentials;
    int result;
    GNP_RETRY(result, "getsockopt", getsockopt(channel->watch.descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &size));
    if (result != 0) return gnp_fail(error, errno == ENOPROTOOPT ? GN_CODE_UNSUPPORTED : GN_CODE_OTHER, errno, "getsockopt");
    if (credentials.uid == (uid_t)-1) return gnp_fail(error, GN_CODE_UNSUPPORTED, 0, "getsockopt");
    peer->known = GN_PEER_USER | GN_PEER_GROUP;
    peer->user = credentials.uid;
    peer->group = credentials.gid;
    // A process of another pid namespace has no number here.
    if (credentials.pid <= 0) return GN_DONE;
    peer->known |= GN_PEER_PROCESS;
    peer->process = (uint32_t)credentials.pid;
    if ((wanted & (GN_PEER_EXECUTABLE | GN_PEER_DIGEST)) != 0) identify_program(channel->watch.descriptor, wanted, peer);
    return GN_DONE;
}

void gn_peer_self(gn_peer *self) {
    memset(self, 0, sizeof *self);
    self->known = GN_PEER_USER | GN_PEER_GROUP | GN_PEER_PROCESS;
    self->user = geteuid();
    self->group = getegid();
    self->process = (uint32_t)getpid();
    if (read_path("/proc/self/exe", self->executable, sizeof self->executable)) self->known |= GN_PEER_EXECUTABLE;
}

#endif
