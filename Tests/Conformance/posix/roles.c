// What children do in the checks of Linux and macOS. A partner has a channel to its parent at descriptor 3.
#include "posix_support.h"

#include <dirent.h>
#include <signal.h>

#if defined(__linux__)
#include <sched.h>
#include <sys/mount.h>
#endif

/// Becomes another user and connects; the code of the failure, or 0.
static int connect_as(const char *user, const char *path) {
    uid_t number = (uid_t)strtoul(user, NULL, 10);
    if (setgid((gid_t)number) != 0 || setuid(number) != 0) return 99;
    struct ends ends;
    gn_channel *channel;
    gn_error error;
    if (gn_channel_connect(path, &channel, &error) != GN_DONE) return (int)error.code;
    if (!partner_meet(&ends)) return 98;
    partner_ready(&ends);
    gn_channel_abort(channel);
    return 0;
}

/// Becomes another user and opens or removes a segment; the code of the failure, or 0.
static int use_segment_as(const char *user, const char *name, bool removes) {
    uid_t number = (uid_t)strtoul(user, NULL, 10);
    if (setgid((gid_t)number) != 0 || setuid(number) != 0) return 99;
    gn_segment *segment;
    gn_error error;
    gn_outcome outcome = removes ? gn_segment_remove(name, &error) : gn_segment_open_named(name, &segment, &error);
    return outcome == GN_DONE ? 0 : (int)error.code;
}

#if defined(__linux__)
/// Has a /dev/shm of one megabyte. What does not fit is refused, leaves no name, and what fits can be touched to its end.
static int live_in_small_memory(void) {
    if (unshare(CLONE_NEWNS) != 0) return NOT_ALLOWED;
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 || mount("none", "/dev/shm", "tmpfs", 0, "size=1m") != 0) return NOT_ALLOWED;
    static const uint64_t large[] = {2 << 20, 100 << 20};
    gn_segment *segment;
    gn_error error;
    for (size_t i = 0; i < 2; i++) {
        // What is far too large is not even tried: that would take from others what is left.
        if (i == 1 && !gn_fault_add("fallocate", 0, 1, EIO)) return 8;
        if (gn_segment_create_named("large", large[i], &segment, &error) != GN_FAILED || error.code != GN_CODE_NO_SPACE) return 2;
        if (gn_segment_open_named("large", &segment, &error) != GN_FAILED || error.code != GN_CODE_NOT_FOUND) return 3;
        gn_fault_clear();
    }
    // A file with nothing behind it, as other programs make them.
    int file = open("/dev/shm/hollow", O_RDWR | O_CREAT | O_EXCL, 0600);
    if (file < 0 || ftruncate(file, 2 << 20) != 0) return 4;
    if (gn_segment_open_named("hollow", &segment, &error) != GN_FAILED || error.code != GN_CODE_NO_SPACE) return 5;
    if (unlink("/dev/shm/hollow") != 0 || close(file) != 0) return 6;
    if (gn_segment_create_named("small", 512 << 10, &segment, &error) != GN_DONE) return 7;
    memset(gn_segment_bytes(segment), 'x', 512 << 10);
    gn_segment_close(segment);
    return 0;
}

/// Connects as the program `impostor`, which has the path of another in a mount namespace of its own.
static int connect_disguised(const char *impostor, const char *path, const char *socket) {
    if (unshare(CLONE_NEWNS) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return NOT_ALLOWED;
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 || mount(impostor, path, NULL, MS_BIND, NULL) != 0) return NOT_ALLOWED;
    (void)execl(path, path, "--child", "connect-quietly", socket, (char *)NULL);
    return 2;
}
#endif

/// How many descriptors this process was born with, standard streams not counted.
static int count_descriptors(void) {
    int count = 0;
    for (int descriptor = 3; descriptor < 200; descriptor++) count += fcntl(descriptor, F_GETFD) >= 0;
    return count;
}

/// 0 when no signal is blocked and the given one has its default action.
static int plain_signals(int number) {
    sigset_t blocked;
    struct sigaction action;
    if (sigprocmask(SIG_SETMASK, NULL, &blocked) != 0 || sigaction(number, NULL, &action) != 0) return 2;
    for (int each = 1; each < 32; each++) {
        if (sigismember(&blocked, each) == 1) return 3;
    }
    return action.sa_handler == SIG_DFL ? 0 : 4;
}

/// Waits as on a kernel that counts time in milliseconds only; 0 when it was never too short.
static int wait_in_milliseconds(void) {
    gn_poller *poller;
    gn_event event;
    size_t count;
    gn_error error;
    if (poller_open(&poller, &error) != GN_DONE || !gn_fault_add("epoll_pwait2", 0, 1, ENOSYS)) return 2;
    for (uint64_t timeout = 1; timeout < 4000000; timeout = timeout * 3 + 1) {
        uint64_t begun = gn_clock_awake();
        if (gn_poller_wait(poller, &event, 1, timeout, &count, &error) != GN_DONE || count != 0) return 3;
        if (gn_clock_awake() - begun < timeout) return 4;
    }
    gn_poller_close(poller);
    return 0;
}

int support_child(const char *role, int count, char **arguments) {
    if (strcmp(role, "connect-as") == 0 && count == 2) return connect_as(arguments[0], arguments[1]);
    if (strcmp(role, "open-segment-as") == 0 && count == 2) return use_segment_as(arguments[0], arguments[1], false);
    if (strcmp(role, "remove-segment-as") == 0 && count == 2) return use_segment_as(arguments[0], arguments[1], true);
#if defined(__linux__)
    if (strcmp(role, "small-memory") == 0) return live_in_small_memory();
    if (strcmp(role, "disguised") == 0 && count == 3) return connect_disguised(arguments[0], arguments[1], arguments[2]);
#endif
    if (strcmp(role, "count-descriptors") == 0) return count_descriptors();
    if (strcmp(role, "plain-signals") == 0 && count == 1) return plain_signals(atoi(arguments[0]));
    if (strcmp(role, "ask-oneself") == 0 && count == 1) return ask_oneself(arguments[0]);
    if (strcmp(role, "milliseconds") == 0) return wait_in_milliseconds();
    if (strcmp(role, "say") == 0 && count == 1) return puts(arguments[0]) < 0;
    return -1;
}
