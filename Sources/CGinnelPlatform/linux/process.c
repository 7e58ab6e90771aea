// Child processes on Linux. Everything that is opened here is closed by exec from birth, so a plain child needs nothing more.
//
// A bound child asks the kernel for a signal when the thread that made it ends (PR_SET_PDEATHSIG), and that has to be asked in the child, between its birth and its exec, where posix_spawn
// lets nobody in. So it is born by vfork: this thread waits, and the child uses its memory, until the exec; copying the page tables of a large program would take long and may be refused.
// The rules there: no function but those that are safe in a signal handler, no signal handler of ours (all signals are blocked, and have their default action when they are no more).
// Why an exec failed comes back through a pipe that a successful one closes; that holds also where a sanitizer makes a fork of it.
#include "../posix/process.h"

#if defined(__linux__)

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

char **gnp_environment(void) { return environ; }

int gnp_spawn_prepare(posix_spawnattr_t *attributes, short *flags, posix_spawn_file_actions_t *actions, size_t inherited_count) {
    (void)attributes;
    (void)flags;
    (void)actions;
    (void)inherited_count;
    return 0;
}

int gnp_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC); }

int gnp_process_watch(pid_t id) {
    // Closed by exec from birth. Kernels before 5.3 do not have it.
    return gnp_fails("pidfd_open") ? -1 : (int)syscall(SYS_pidfd_open, id, 0u);
}

/// In the child: becomes the program, or says why not.
static _Noreturn void become(const gnp_child *child, pid_t parent, int report) {
    struct sigaction plain = {.sa_handler = SIG_DFL};
    sigset_t none;
    sigemptyset(&none);
    for (int each = 1; each < NSIG; each++) (void)sigaction(each, &plain, NULL);
    bool done = prctl(PR_SET_PDEATHSIG, SIGKILL) == 0;
    // Who died before that sends no signal any more.
    if (done && getppid() != parent) _exit(127);
    for (size_t i = 0; i < child->count + GNP_STANDARD && done; i++) {
        if (child->copies[i] >= 0) done = dup2(child->copies[i], gnp_child_number(child, i)) >= 0;
    }
    if (done && sigprocmask(SIG_SETMASK, &none, NULL) == 0) (void)execve(child->path, child->arguments, child->environment);
    int native = errno;
    (void)!write(report, &native, sizeof native);
    _exit(127);
}

/// The child's number, or -1 with errno. Apart, since what comes back from vfork comes back twice.
static pid_t bear(const gnp_child *child, pid_t parent, int report) {
    if (gnp_fails("vfork")) return -1;
    pid_t made = vfork();
    if (made == 0) become(child, parent, report);
    return made;
}

/// The child's errno, or 0 when it became the program.
static int read_report(int report) {
    int native = 0;
    ssize_t result;
    do {
        result = read(report, &native, sizeof native);
    } while (result < 0 && errno == EINTR);
    return result == (ssize_t)sizeof native ? native : 0;
}

int gnp_spawn_bound(const gnp_child *child, pid_t *id, const char **operation) {
    int report[2];
    sigset_t all, before;
    *operation = "pipe";
    if (gnp_fails("pipe") || gnp_pipe(report) != 0) return errno;
    // Out of the way of the numbers that the child gets.
    int high = fcntl(report[1], F_DUPFD_CLOEXEC, GNP_STANDARD + (int)child->count);
    int native = high < 0 ? errno : 0;
    gnp_close(report[1]);
    if (high >= 0) {
        *operation = "vfork";
        sigfillset(&all);
        (void)pthread_sigmask(SIG_SETMASK, &all, &before);
        pid_t made = bear(child, getpid(), high);
        native = made < 0 ? errno : 0;
        (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
        gnp_close(high);
        if (made > 0) {
            *operation = "execve";
            *id = made;
            native = gnp_fails("execve") ? errno : read_report(report[0]);
            // What never became a program, or is not to have become one, is nobody's child.
            if (native != 0) {
                (void)kill(made, SIGKILL);
                while (waitpid(made, NULL, 0) < 0 && errno == EINTR) {}
            }
        }
    }
    gnp_close(report[0]);
    return native;
}

#endif
