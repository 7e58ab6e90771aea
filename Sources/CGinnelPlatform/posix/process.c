// Child processes.
//
// posix_spawn, not fork: it is safe in a program with threads and reports a failed exec as an error. A child begins with every
// signal at its default and none blocked. It gets exactly the descriptors it is given: they are first copied above their
// final numbers, so that no copy can overwrite one that is still to be copied.
//
// A child that has ended stays a zombie until it is forgotten; that keeps its process id from being given to another.
#include "process.h"

#if !defined(_WIN32)

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SIGNALLED = 256 };

// MARK: Children that were forgotten while they ran

static pthread_mutex_t forgotten_lock = PTHREAD_MUTEX_INITIALIZER;
static gn_process *forgotten;

static bool reaped(pid_t id) {
    pid_t result;
    GNP_RETRY(result, "waitpid", waitpid(id, NULL, WNOHANG));
    return result != 0;  // ended, or no child of ours any more
}

static void reap_forgotten(void) {
    pthread_mutex_lock(&forgotten_lock);
    for (gn_process **each = &forgotten; *each != NULL;) {
        gn_process *process = *each;
        if (!reaped(process->id)) {
            each = &process->next;
            continue;
        }
        *each = process->next;
        free(process);
    }
    pthread_mutex_unlock(&forgotten_lock);
}

void gn_process_forget(gn_process *process) {
    if (process->is_supervised) gnp_supervision_end(process);
    reap_forgotten();
    if (reaped(process->id)) {
        free(process);
        return;
    }
    pthread_mutex_lock(&forgotten_lock);
    process->next = forgotten;
    forgotten = process;
    pthread_mutex_unlock(&forgotten_lock);
}

// MARK: Starting

static bool same_name(const char *first, const char *second) {
    size_t length = strcspn(first, "=");
    return strncmp(first, second, length) == 0 && second[length] == '=';
}

static bool replaced(const char *variable, const char *const *by) {
    for (size_t i = 0; by != NULL && by[i] != NULL; i++) {
        if (same_name(by[i], variable)) return true;
    }
    return false;
}

/// Our environment with additions, in an array to be freed; its strings are borrowed.
static char **merged_environment(const char *const *additions) {
    char **ours = gnp_environment();
    size_t count = 1;
    for (size_t i = 0; ours[i] != NULL; i++) count++;
    for (size_t i = 0; additions != NULL && additions[i] != NULL; i++) count++;
    char **merged = gnp_allocate(count * sizeof *merged);
    if (merged == NULL) return NULL;
    size_t used = 0;
    for (size_t i = 0; ours[i] != NULL; i++) {
        if (!replaced(ours[i], additions)) merged[used++] = ours[i];
    }
    // posix_spawn takes pointers to char and does not write through them.
    for (size_t i = 0; additions != NULL && additions[i] != NULL; i++) merged[used++] = (char *)(uintptr_t)additions[i];
    return merged;
}

/// Copies above all final numbers, closed by exec. False with errno.
static bool copy_high(const gn_handle *inherited, size_t count, const gn_handle *standard, int *copies) {
    for (size_t i = 0; i < count + GNP_STANDARD; i++) copies[i] = -1;
    for (size_t i = 0; i < count + GNP_STANDARD; i++) {
        gn_handle source = i < count ? inherited[i] : standard[i - count];
        if (i >= count && source == GN_NO_HANDLE) continue;
        GNP_RETRY(copies[i], "fcntl", fcntl((int)source, F_DUPFD_CLOEXEC, GNP_STANDARD + (int)count));
        if (copies[i] < 0) return false;
    }
    return true;
}

static int prepare(posix_spawnattr_t *attributes, posix_spawn_file_actions_t *actions, const gnp_child *child) {
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
    int native = posix_spawnattr_setsigmask(attributes, &none);
    if (native == 0) native = posix_spawnattr_setsigdefault(attributes, &all);
    for (size_t i = 0; i < child->count + GNP_STANDARD && native == 0; i++) {
        if (child->copies[i] >= 0) native = posix_spawn_file_actions_adddup2(actions, child->copies[i], gnp_child_number(child, i));
    }
    if (native == 0) native = gnp_spawn_prepare(attributes, &flags, actions, child->count);
    if (native == 0) native = posix_spawnattr_setflags(attributes, flags);
    return native;
}

int gnp_spawn(const gnp_child *child, pid_t *id, const char **operation) {
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_t actions;
    *operation = "posix_spawn";
    int native = posix_spawnattr_init(&attributes);
    if (native != 0) return native;
    native = posix_spawn_file_actions_init(&actions);
    if (native == 0) {
        native = prepare(&attributes, &actions, child);
        if (native == 0) {
            do {
                native = gnp_fails("posix_spawn") ? errno
                                                  : posix_spawn(id, child->path, &actions, &attributes, child->arguments, child->environment);
            } while (native == EINTR);
        }
        posix_spawn_file_actions_destroy(&actions);
    }
    posix_spawnattr_destroy(&attributes);
    return native;
}

gn_outcome gnp_process_make(const gnp_launch *launch, const gn_handle standard[GNP_STANDARD], gnp_spawner spawn, gn_process **process, gn_error *error) {
    reap_forgotten();
    const size_t count = launch->inherited_count;
    if (count > 1024) return gnp_fail(error, GN_CODE_INVALID, 0, "posix_spawn");
    gn_process *made = gnp_allocate(sizeof *made);
    char **merged = merged_environment(launch->environment);
    int *copies = gnp_allocate((count + GNP_STANDARD) * sizeof *copies);
    gn_outcome outcome = GN_DONE;
    if (made == NULL || merged == NULL || copies == NULL) {
        outcome = gnp_fail(error, GN_CODE_NO_MEMORY, ENOMEM, "calloc");
    } else if (!copy_high(launch->inherited, count, standard, copies)) {
        outcome = gnp_fail_errno(error, "fcntl");
    } else {
        // Both ways to start a program take pointers to char and do not write through them.
        const gnp_child child = {launch->path, (char *const *)(uintptr_t)launch->arguments, merged, copies, count};
        const char *operation;
        int native = spawn(&child, &made->id, &operation);
        // EAGAIN is the limit of processes.
        gn_code code = native == EAGAIN ? GN_CODE_NO_MEMORY : gnp_code_of(native);
        if (native != 0) outcome = gnp_fail(error, code, native, operation);
    }
    for (size_t i = 0; copies != NULL && i < count + GNP_STANDARD; i++) gnp_close(copies[i] > 0 ? copies[i] : -1);
    free(copies);
    free(merged);
    if (outcome == GN_DONE) *process = made;
    else free(made);
    return outcome;
}

gn_outcome gn_process_start(const char *path, const char *const *arguments, const char *const *environment, const gn_handle *inherited,
                            size_t inherited_count, gn_handle output, gn_process **process, gn_error *error) {
    const gnp_launch launch = {path, arguments, environment, inherited, inherited_count};
    const gn_handle standard[GNP_STANDARD] = {GN_NO_HANDLE, output, GN_NO_HANDLE};
    return gnp_process_make(&launch, standard, gnp_spawn, process, error);
}

// MARK: Afterwards

uint32_t gn_process_id(const gn_process *process) { return (uint32_t)process->id; }

void gn_process_end(gn_process *process, bool at_once) { (void)kill(process->id, at_once ? SIGKILL : SIGTERM); }

gn_outcome gn_process_status(gn_process *process, int32_t *status, gn_error *error) {
    siginfo_t information;
    memset(&information, 0, sizeof information);
    int result;
    // Looks without reaping: see the head of this file.
    GNP_RETRY(result, "waitid", waitid(P_PID, (id_t)process->id, &information, WEXITED | WNOHANG | WNOWAIT));
    if (result != 0) return gnp_fail(error, errno == ECHILD ? GN_CODE_NOT_FOUND : gnp_code_of(errno), errno, "waitid");
    if (information.si_pid == 0) return GN_WOULD_BLOCK;
    *status = information.si_code == CLD_EXITED ? information.si_status : SIGNALLED + information.si_status;
    return GN_DONE;
}

#endif
