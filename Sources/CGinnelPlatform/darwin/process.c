// Child processes on macOS: every descriptor is closed but the standard streams and those that are given to the child. The system has nothing that ends a child with its parent.
// Written from documented interfaces; has not been run.
#include "../posix/process.h"

#if defined(__APPLE__)

#include <crt_externs.h>
#include <fcntl.h>
#include <sys/event.h>
#include <unistd.h>

// A dynamic library has no `environ` of its own.
char **gnp_environment(void) { return *_NSGetEnviron(); }

int gnp_spawn_prepare(posix_spawnattr_t *attributes, short *flags, posix_spawn_file_actions_t *actions, size_t inherited_count) {
    (void)attributes;
    *flags |= POSIX_SPAWN_CLOEXEC_DEFAULT;
    // The target of a dup2 action is kept open by itself; the standard streams have to be named.
    (void)inherited_count;
    int native = 0;
    for (int each = STDIN_FILENO; each <= STDERR_FILENO && native == 0; each++) {
        native = posix_spawn_file_actions_addinherit_np(actions, each);
    }
    return native;
}

int gnp_pipe(int ends[2]) {
    if (pipe(ends) != 0) return -1;
    // Between the two steps nothing is lost: a child gets nothing that it is not given.
    (void)fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    (void)fcntl(ends[1], F_SETFD, FD_CLOEXEC);
    return 0;
}

int gnp_spawn_bound(const gnp_child *child, pid_t *id, const char **operation) { return gnp_spawn(child, id, operation); }

int gnp_process_watch(pid_t id) {
    // A queue of events can be polled itself. A child that has ended already is found by looking (-1).
    int queue = kqueue();
    struct kevent ends;
    EV_SET(&ends, (uintptr_t)id, EVFILT_PROC, EV_ADD, NOTE_EXIT, 0, NULL);
    if (queue >= 0 && (fcntl(queue, F_SETFD, FD_CLOEXEC) != 0 || kevent(queue, &ends, 1, NULL, 0, NULL) != 0)) {
        gnp_close(queue);
        queue = -1;
    }
    return queue;
}

#endif
