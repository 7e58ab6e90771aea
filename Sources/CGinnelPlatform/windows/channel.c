// Channels: connected named pipes in byte mode, overlapped.
//
// Reading tries first and waits later: a read that the kernel would have to keep is taken back, and in a poller a read of no bytes takes its place, which ends when there is
// something to read. While that one is pending nothing needs to be tried. After a short read it is started at once, and tells whether there is more (`drained`).
//
// Writing copies at most GN_WRITE_UNIT bytes into memory of the channel's own, because the kernel may keep the write until the peer has read. As long as it does, the channel
// would block; how that write ended is said by the next one.
#include "win32.h"

#if defined(_WIN32)

#include <stdlib.h>
#include <string.h>

/// Memory that an idle channel keeps for its next write; more is given back.
enum { KEPT = 4096, SPANS = 64 };

static gn_outcome fail_pipe(gn_error *error, DWORD native, const char *operation) {
    return gnp_fail(error, native == ERROR_INVALID_HANDLE ? GN_CODE_OTHER : gnp_code_of(native), (int32_t)native, operation);
}

// MARK: Readiness

gn_outcome gnp_channel_arm(gn_channel *channel, gn_error *error) {
    gnp_operation *readiness = channel->readiness;
    if (readiness == NULL) {
        readiness = gnp_operation_make(channel->pipe, channel->direct ? channel->watch.poller : NULL, &channel->watch, GN_EVENT_READABLE);
        if (readiness == NULL) return gnp_fail_last(error, "CreateEventW");
        readiness->lost = GN_EVENT_HANGUP | GN_EVENT_GONE;
        channel->readiness = readiness;
    }
    if (atomic_load(&readiness->pending)) return GN_WOULD_BLOCK;
    uint8_t nothing;
    gnp_operation_begin(readiness);
    bool succeeded = ReadFile(channel->pipe, &nothing, 0, NULL, &readiness->overlapped) != 0;
    // What is wrong with the pipe is found by reading.
    return gnp_operation_begun(readiness, succeeded, GetLastError()) ? GN_WOULD_BLOCK : GN_DONE;
}

void gnp_channel_leave(gn_channel *channel) {
    if (channel->watch.poller == NULL) return;
    gnp_watch_end(&channel->watch);
    if (channel->readiness != NULL) gnp_operation_drop(channel->readiness, false, 0);
    channel->readiness = NULL;
    channel->direct = false;
}

// MARK: Reading

/// Reads what is there; ERROR_IO_PENDING when there is nothing.
static DWORD read_now(gn_channel *channel, void *bytes, size_t capacity, size_t *count) {
    int32_t native;
    if (gnp_fault("ReadFile", &native)) return (DWORD)native;
    OVERLAPPED overlapped = {.hEvent = (HANDLE)((ULONG_PTR)channel->event | 1)};
    DWORD room = capacity < 1 << 30 ? (DWORD)capacity : 1 << 30;
    DWORD result = ReadFile(channel->pipe, bytes, room, NULL, &overlapped) ? 0 : GetLastError();
    if (result == ERROR_IO_PENDING) {
        // The memory is the caller's: nothing may be written to it later.
        (void)CancelIoEx(channel->pipe, &overlapped);
        (void)WaitForSingleObject(channel->event, INFINITE);
        result = gnp_error_of_status(overlapped.Internal);
        if (result == ERROR_OPERATION_ABORTED) return ERROR_IO_PENDING;
    }
    // A message that is longer than the room comes in pieces. One of no bytes, which only a foreign pipe has, is none.
    if (result == ERROR_MORE_DATA) result = 0;
    *count = (size_t)overlapped.InternalHigh;
    return result == 0 && *count == 0 ? ERROR_IO_PENDING : result;
}

gn_outcome gn_channel_read(gn_channel *channel, void *bytes, size_t capacity, size_t *count, bool *drained, gn_error *error) {
    bool watched = channel->watch.poller != NULL;
    if (watched && channel->readiness != NULL && atomic_load(&channel->readiness->pending)) return GN_WOULD_BLOCK;
    if (gnp_fault_shortens("ReadFile")) capacity = 1;
    DWORD result = read_now(channel, bytes, capacity, count);
    if (result == ERROR_BROKEN_PIPE) return GN_END;
    if (result == 0) {
        *drained = watched && *count < capacity && gnp_channel_arm(channel, error) == GN_WOULD_BLOCK;
        return GN_DONE;
    }
    if (result != ERROR_IO_PENDING) return fail_pipe(error, result, "ReadFile");
    gn_outcome armed = watched ? gnp_channel_arm(channel, error) : GN_WOULD_BLOCK;
    // Something has come in the meantime; the event for it is made here.
    if (armed == GN_DONE) gnp_watch_tell(&channel->watch, GN_EVENT_READABLE, NULL);
    return armed == GN_FAILED ? GN_FAILED : GN_WOULD_BLOCK;
}

// MARK: Writing

/// The record for the next write: direct in a poller that gets this pipe's packets, bridged elsewhere.
static gnp_operation *writing_of(gn_channel *channel) {
    gn_poller *poller = channel->direct ? channel->watch.poller : NULL;
    gnp_operation *writing = channel->writing;
    if (writing != NULL && writing->poller == poller) return writing;
    gnp_operation *made = gnp_operation_make(channel->pipe, poller, &channel->watch, GN_EVENT_WRITABLE);
    if (made == NULL) return NULL;
    made->wanted = &channel->wants_writable;
    made->slow = true;
    if (writing != NULL) gnp_operation_drop(writing, false, 0);
    channel->writing = made;
    return made;
}

static bool make_room(gnp_operation *writing, size_t size) {
    if (writing->room >= size) return true;
    free(writing->buffer);
    writing->buffer = gnp_allocate(size);
    writing->room = writing->buffer == NULL ? 0 : size;
    return writing->room != 0;
}

static size_t gather(const gn_span *spans, size_t span_count, uint8_t *bytes, size_t room) {
    size_t used = 0;
    for (size_t i = 0; i < span_count && used < room; i++) {
        size_t part = spans[i].count < room - used ? spans[i].count : room - used;
        if (part > 0) memcpy(bytes + used, spans[i].bytes, part);
        used += part;
    }
    return used;
}

/// True when a write is pending; then its end will be told.
static bool is_busy(gn_channel *channel) {
    if (channel->writing == NULL || !atomic_load(&channel->writing->pending)) return false;
    // First the wish, then a second look: an end that comes in between must find the wish or be seen.
    atomic_store(&channel->wants_writable, true);
    return atomic_load(&channel->writing->pending);
}

gn_outcome gn_channel_write(gn_channel *channel, const gn_span *spans, size_t span_count, size_t *count, gn_error *error) {
    if (span_count == 0 || span_count > SPANS) return gnp_fail(error, GN_CODE_INVALID, 0, "WriteFile");
    size_t total = 0;
    for (size_t i = 0; i < span_count; i++) total += spans[i].count < GN_WRITE_UNIT ? spans[i].count : GN_WRITE_UNIT;
    if (total == 0) return gnp_fail(error, GN_CODE_INVALID, 0, "WriteFile");
    if (total > GN_WRITE_UNIT) total = GN_WRITE_UNIT;
    if (gnp_fault_shortens("WriteFile")) total = 1;
    if (is_busy(channel)) return GN_WOULD_BLOCK;
    DWORD native = channel->writing == NULL ? 0 : channel->writing->error;
    if (native != 0) return fail_pipe(error, native, "WriteFile");
    gnp_operation *writing = writing_of(channel);
    if (writing == NULL) return gnp_fail_last(error, "CreateEventW");
    if (!make_room(writing, total)) return gnp_fail_memory(error);
    (void)gather(spans, span_count, writing->buffer, total);
    if (gnp_fails("WriteFile")) return fail_pipe(error, GetLastError(), "WriteFile");
    gnp_operation_begin(writing);
    bool succeeded = WriteFile(channel->pipe, writing->buffer, (DWORD)total, NULL, &writing->overlapped) != 0;
    *count = total;
    if (gnp_operation_begun(writing, succeeded, GetLastError())) return GN_DONE;
    if (writing->error != 0) return fail_pipe(error, writing->error, "WriteFile");
    if (writing->room > KEPT) {
        free(writing->buffer);
        writing->buffer = NULL;
        writing->room = 0;
    }
    return GN_DONE;
}

gn_outcome gn_channel_half_close(gn_channel *channel, gn_error *error) {
    (void)channel;
    return gnp_fail(error, GN_CODE_UNSUPPORTED, 0, "gn_channel_half_close");
}

gn_outcome gn_channel_set_buffers(gn_channel *channel, size_t send, size_t receive, gn_error *error) {
    // A pipe's room is fixed when it is made, and this is a hint.
    (void)channel, (void)send, (void)receive, (void)error;
    return GN_DONE;
}

#endif
