// Children that are watched: what they write, and their end.
//
// A child's output is a named pipe, since the ends of an anonymous one cannot be waited for together with a process: ours is overlapped, the child's an ordinary file to write to. One read is
// pending on each as long as nobody has taken what it brought. The child is the first member of a job that nobody else has a handle to, and that the kernel ends with that handle, whoever
// dies of what.
//
// The end of a child is told after everything that it wrote: once it has ended, what lies in its pipes at that moment is read and nothing more, since somebody to whom it has left its output
// may go on writing for ever.
#include "process.h"

#if defined(_WIN32)

#include <stdlib.h>
#include <string.h>

enum { CHUNK = 4096, OUTPUT = 0, ERRORS = 1 };

typedef struct child_stream {
    HANDLE pipe;           ///< INVALID_HANDLE_VALUE after its end
    OVERLAPPED operation;  ///< with an event that is set when the read has ended
    bool pending;
    int64_t left;          ///< once the child has ended: bytes in the pipe that may still be its own; -1 before
    DWORD first, count;    ///< what was read and not taken, in `bytes`
    BYTE bytes[CHUNK];
} child_stream;

struct gnp_supervision {
    HANDLE job;
    child_stream streams[2];
    int turn;  ///< the stream that is looked at first, so that neither keeps the other waiting
};

// MARK: Starting

/// The end that we read, and the one that the child writes to.
static gn_outcome make_pipe(child_stream *stream, HANDLE *writing, gn_error *error) {
    uint8_t random[16];
    WCHAR name[64] = L"\\\\.\\pipe\\ginnel-output-";
    if (gn_random(random, sizeof random, error) != GN_DONE) return GN_FAILED;
    size_t length = wcslen(name);
    for (size_t i = 0; i < sizeof random; i++) {
        name[length++] = L"0123456789abcdef"[random[i] >> 4];
        name[length++] = L"0123456789abcdef"[random[i] & 15];
    }
    PSECURITY_DESCRIPTOR descriptor = gnp_descriptor("", error);
    if (descriptor == NULL) return GN_FAILED;
    gn_outcome outcome = gnp_pipe_create(name, descriptor, true, 1, &stream->pipe, error);
    LocalFree(descriptor);
    if (outcome != GN_DONE) return outcome;
    *writing = gnp_fails("CreateFileW") ? INVALID_HANDLE_VALUE : CreateFileW(name, GENERIC_WRITE, 0, NULL, OPEN_EXISTING, SECURITY_SQOS_PRESENT | SECURITY_IDENTIFICATION, NULL);
    if (*writing == INVALID_HANDLE_VALUE) return gnp_fail_last(error, "CreateFileW");
    stream->operation.hEvent = gnp_fails("CreateEventW") ? NULL : CreateEventW(NULL, TRUE, FALSE, NULL);
    return stream->operation.hEvent != NULL ? GN_DONE : gnp_fail_last(error, "CreateEventW");
}

static HANDLE make_job(gn_error *error) {
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits = {.BasicLimitInformation = {.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE}};
    HANDLE job = gnp_fails("CreateJobObjectW") ? NULL : CreateJobObjectW(NULL, NULL);
    if (job != NULL && SetInformationJobObject(job, JobObjectExtendedLimitInformation, &limits, sizeof limits)) return job;
    (void)gnp_fail_last(error, "CreateJobObjectW");
    gnp_close(job);
    return NULL;
}

gn_outcome gn_process_supervise(const char *path, const char *const *arguments, const char *const *environment, const gn_handle *inherited,
                                size_t inherited_count, gn_process **process, gn_error *error) {
    const gnp_launch launch = {path, arguments, environment, inherited, inherited_count};
    HANDLE given[GNP_STANDARD] = {INVALID_HANDLE_VALUE, INVALID_HANDLE_VALUE, INVALID_HANDLE_VALUE};
    gnp_supervision *made = gnp_allocate(sizeof *made);
    if (made == NULL) return gnp_fail_memory(error);
    for (int i = 0; i < 2; i++) {
        made->streams[i].pipe = INVALID_HANDLE_VALUE;
        made->streams[i].left = -1;
    }
    made->job = make_job(error);
    gn_outcome outcome = made->job == NULL ? GN_FAILED : GN_DONE;
    if (outcome == GN_DONE) {
        given[0] = CreateFileW(L"NUL", GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_EXISTING, 0, NULL);
        if (given[0] == INVALID_HANDLE_VALUE) outcome = gnp_fail_last(error, "CreateFileW");
    }
    for (int i = 0; i < 2 && outcome == GN_DONE; i++) outcome = make_pipe(&made->streams[i], &given[1 + i], error);
    if (outcome == GN_DONE) {
        const gn_handle standard[GNP_STANDARD] = {(gn_handle)given[0], (gn_handle)given[1], (gn_handle)given[2]};
        outcome = gnp_process_make(&launch, standard, made->job, process, error);
    }
    for (int i = 0; i < GNP_STANDARD; i++) gnp_close(given[i]);
    if (outcome == GN_DONE) (*process)->supervision = made;
    else gnp_supervision_end(made);
    return outcome;
}

/// No read of it is pending when this returns: the kernel writes to its record until then. True when it brought something.
static bool settle(child_stream *stream, bool wait) {
    if (!stream->pending) return false;
    if (!GetOverlappedResult(stream->pipe, &stream->operation, &stream->count, wait) && GetLastError() == ERROR_IO_INCOMPLETE) return false;
    stream->pending = false;
    stream->first = 0;
    return stream->count > 0;
}

void gnp_supervision_end(gnp_supervision *supervision) {
    for (int i = 0; i < 2; i++) {
        child_stream *stream = &supervision->streams[i];
        if (stream->pending) (void)CancelIoEx(stream->pipe, &stream->operation);
        (void)settle(stream, true);
        gnp_close(stream->pipe);
        gnp_close(stream->operation.hEvent);
    }
    gnp_close(supervision->job);
    free(supervision);
}

// MARK: Watching

/// Begins to read, unless there is something to take, or nothing to come.
static void begin_reading(child_stream *stream) {
    if (stream->pipe == INVALID_HANDLE_VALUE || stream->pending || stream->count > 0) return;
    DWORD wanted = stream->left >= 0 && stream->left < CHUNK ? (DWORD)stream->left : CHUNK;
    if (wanted == 0) return;
    stream->first = 0;
    if (ReadFile(stream->pipe, stream->bytes, wanted, NULL, &stream->operation) || GetLastError() == ERROR_IO_PENDING) {
        stream->pending = true;
        return;
    }
    // Everybody who could write has gone.
    gnp_close(stream->pipe);
    stream->pipe = INVALID_HANDLE_VALUE;
}

/// The child has ended: what is in its pipe now is the last that may be its own.
static void measure(child_stream *stream) {
    if (stream->left >= 0) return;
    DWORD waiting = 0;
    (void)settle(stream, false);
    if (stream->pending && CancelIoEx(stream->pipe, &stream->operation)) (void)settle(stream, true);
    if (stream->pipe != INVALID_HANDLE_VALUE && !PeekNamedPipe(stream->pipe, NULL, 0, NULL, &waiting, NULL)) waiting = 0;
    stream->left = (int64_t)waiting + stream->count;
}

/// What a stream has brought; 0 when there is nothing now.
static size_t take(child_stream *stream, void *bytes, size_t capacity) {
    begin_reading(stream);
    // The last bytes are there already.
    (void)settle(stream, stream->left > 0);
    size_t count = stream->count < capacity ? stream->count : capacity;
    memcpy(bytes, stream->bytes + stream->first, count);
    stream->first += (DWORD)count;
    stream->count -= (DWORD)count;
    if (stream->left > 0) stream->left -= (int64_t)count < stream->left ? (int64_t)count : stream->left;
    return count;
}

gn_outcome gn_process_next(gn_process *process, void *bytes, size_t capacity, gn_process_event *event, size_t *count, int32_t *status, gn_error *error) {
    gnp_supervision *supervision = process->supervision;
    if (supervision == NULL) return gnp_fail(error, GN_CODE_INVALID, 0, "gn_process_next");
    *count = 0;
    while (true) {
        // Before the pipes are read: what is found there afterwards was written before.
        gn_outcome ended = gn_process_status(process, status, error);
        if (ended == GN_FAILED) return ended;
        HANDLE each[3] = {process->process};
        DWORD handles = 1;
        for (int i = 0; i < 2; i++) {
            int which = supervision->turn ^ i;
            child_stream *stream = &supervision->streams[which];
            if (ended == GN_DONE) measure(stream);
            *count = take(stream, bytes, capacity);
            if (*count == 0) {
                if (stream->pending) each[handles++] = stream->operation.hEvent;
                continue;
            }
            supervision->turn = which ^ 1;
            *event = which == OUTPUT ? GN_PROCESS_OUTPUT : GN_PROCESS_ERRORS;
            return GN_DONE;
        }
        if (ended == GN_DONE) {
            *event = GN_PROCESS_ENDED;
            return GN_DONE;
        }
        if (WaitForMultipleObjects(handles, each, FALSE, INFINITE) == WAIT_FAILED) return gnp_fail_last(error, "WaitForMultipleObjects");
    }
}

#endif
