// Children that are watched: what they write, and their end.
//
// The end of a child is told after everything that it wrote: once it is seen to have ended, what lies in its pipes at that moment is read and nothing more, since somebody to whom it has
// left its output may go on writing for ever. Where the system has no descriptor for the end of a process, it is looked for every few milliseconds.
#include "process.h"

#if !defined(_WIN32)

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { LOOK_AGAIN_MS = 20, OUTPUT = 0, ERRORS = 1 };

// MARK: Starting

/// A pipe whose reading end does not block. False with errno.
static bool make_pipe(int ends[2]) {
    if (gnp_fails("pipe") || gnp_pipe(ends) != 0) return false;
    if (fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0) return true;
    gnp_close(ends[0]);
    gnp_close(ends[1]);
    return false;
}

/// Standard streams for the child, and our ends of them; all are closed again on failure.
static gn_outcome make_streams(gn_handle standard[GNP_STANDARD], int streams[2], gn_error *error) {
    int input, output[2], errors[2];
    GNP_RETRY(input, "open", open("/dev/null", O_RDONLY | O_CLOEXEC));
    if (input < 0) return gnp_fail_errno(error, "open");
    if (make_pipe(output)) {
        if (make_pipe(errors)) {
            streams[OUTPUT] = output[0];
            streams[ERRORS] = errors[0];
            standard[0] = input;
            standard[1] = output[1];
            standard[2] = errors[1];
            return GN_DONE;
        }
        gnp_close(output[0]);
        gnp_close(output[1]);
    }
    gn_outcome outcome = gnp_fail_errno(error, "pipe");
    gnp_close(input);
    return outcome;
}

gn_outcome gn_process_supervise(const char *path, const char *const *arguments, const char *const *environment, const gn_handle *inherited,
                                size_t inherited_count, gn_process **process, gn_error *error) {
    const gnp_launch launch = {path, arguments, environment, inherited, inherited_count};
    gn_handle standard[GNP_STANDARD];
    int streams[2];
    if (make_streams(standard, streams, error) != GN_DONE) return GN_FAILED;
    gn_outcome outcome = gnp_process_make(&launch, standard, gnp_spawn_bound, process, error);
    for (size_t i = 0; i < GNP_STANDARD; i++) gnp_close((int)standard[i]);
    if (outcome != GN_DONE) {
        gnp_close(streams[OUTPUT]);
        gnp_close(streams[ERRORS]);
        return outcome;
    }
    gn_process *made = *process;
    made->is_supervised = true;
    made->watch = gnp_process_watch(made->id);
    memcpy(made->streams, streams, sizeof streams);
    made->left[OUTPUT] = made->left[ERRORS] = -1;
    return GN_DONE;
}

void gnp_supervision_end(gn_process *process) {
    (void)kill(process->id, SIGKILL);
    gnp_close(process->watch);
    gnp_close(process->streams[OUTPUT]);
    gnp_close(process->streams[ERRORS]);
}

// MARK: Watching

/// GN_WOULD_BLOCK when there is nothing now, or nothing any more.
static gn_outcome read_stream(gn_process *process, int which, void *bytes, size_t capacity, size_t *count, gn_error *error) {
    int *stream = &process->streams[which], *left = &process->left[which];
    if (*left >= 0 && capacity > (size_t)*left) capacity = (size_t)*left;
    if (*stream < 0 || capacity == 0) return GN_WOULD_BLOCK;
    ssize_t result;
    GNP_RETRY(result, "read", read(*stream, bytes, capacity));
    if (result < 0) return errno == EAGAIN || errno == EWOULDBLOCK ? GN_WOULD_BLOCK : gnp_fail_errno(error, "read");
    if (result == 0) {
        gnp_close(*stream);
        *stream = -1;
        return GN_WOULD_BLOCK;
    }
    if (*left >= 0) *left -= (int)result;
    *count = (size_t)result;
    return GN_DONE;
}

/// The child has ended: what is in its pipes now is the last that may be its own.
static void measure(gn_process *process) {
    for (int i = 0; i < 2; i++) {
        if (process->left[i] >= 0) continue;
        int waiting = 0;
        if (process->streams[i] >= 0 && ioctl(process->streams[i], FIONREAD, &waiting) != 0) waiting = INT_MAX;
        process->left[i] = waiting;
    }
}

gn_outcome gn_process_next(gn_process *process, void *bytes, size_t capacity, gn_process_event *event, size_t *count, int32_t *status, gn_error *error) {
    if (!process->is_supervised) return gnp_fail(error, GN_CODE_INVALID, 0, "gn_process_next");
    *count = 0;
    while (true) {
        // Before the pipes are read: what is found there afterwards was written before.
        gn_outcome ended = gn_process_status(process, status, error);
        if (ended == GN_FAILED) return ended;
        if (ended == GN_DONE) measure(process);
        for (int i = 0; i < 2; i++) {
            int which = process->turn ^ i;
            gn_outcome outcome = read_stream(process, which, bytes, capacity, count, error);
            if (outcome == GN_WOULD_BLOCK) continue;
            process->turn = which ^ 1;
            *event = which == OUTPUT ? GN_PROCESS_OUTPUT : GN_PROCESS_ERRORS;
            return outcome;
        }
        if (ended == GN_DONE) {
            *event = GN_PROCESS_ENDED;
            return GN_DONE;
        }
        // poll passes over negative descriptors.
        struct pollfd each[3] = {{.fd = process->streams[OUTPUT], .events = POLLIN}, {.fd = process->streams[ERRORS], .events = POLLIN},
                                 {.fd = process->watch, .events = POLLIN}};
        int ready;
        GNP_RETRY(ready, "poll", poll(each, 3, process->watch >= 0 ? -1 : LOOK_AGAIN_MS));
        if (ready < 0) return gnp_fail_errno(error, "poll");
    }
}

#endif
