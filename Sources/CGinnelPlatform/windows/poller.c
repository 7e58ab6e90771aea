// The poller over an I/O completion port.
//
// Three kinds of packets come out of the port, told apart by their key: ends of operations that were begun on pipes of this poller, notes that other threads left (watch.c), and
// wakes. A channel keeps a read of no bytes pending while it is empty; that read ends when there is something to read, and is the readiness of the contract. A pending write
// ends when the kernel has taken it.
//
// Both kinds of poller are this one. A pipe tells the end of an operation through a port or through an event; for the latter the thread that waits would have to know of
// each write that another thread begins, at the moment it begins it, which is the same bookkeeping once more.
//
// The port hands out addresses of records that nobody may free before their packet was taken out. So the poller counts what it expects. When it is closed, what was
// cancelled comes at once and is waited for; what is slow, writes that still have time to leave, is left to a thread that takes them out and then ends the poller.
#include "win32.h"

#if defined(_WIN32)

#include <stdlib.h>

enum { KEY_OPERATION = 0, KEY_NOTE = 1, KEY_WAKE = 2, BATCH = 64 };

struct gn_poller {
    HANDLE port;
    uint64_t number;
    atomic_size_t expected;  ///< packets of operations and notes that will come
    atomic_size_t slow;      ///< those of them that take as long as a peer likes
    atomic_bool rung;        ///< a wake is on its way
};

// MARK: Beginning and end

gn_outcome gn_poller_open(gn_poller_kind kind, gn_poller **poller, gn_error *error) {
    (void)kind;
    static atomic_uint_fast64_t numbers;
    gn_poller *made = gnp_allocate(sizeof *made);
    if (made == NULL) return gnp_fail_memory(error);
    // One thread at a time waits.
    made->port = gnp_fails("CreateIoCompletionPort") ? NULL : CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 1);
    if (made->port == NULL) {
        free(made);
        return gnp_fail_last(error, "CreateIoCompletionPort");
    }
    made->number = 1 + atomic_fetch_add(&numbers, 1);
    *poller = made;
    return GN_DONE;
}

size_t gn_poller_descriptors(gn_poller_kind kind) {
    (void)kind;
    return 1;
}

/// Waits for packets; at most BATCH. False when there was none in time.
static bool take(gn_poller *poller, OVERLAPPED_ENTRY *entries, size_t capacity, DWORD milliseconds, ULONG *count) {
    *count = 0;
    return GetQueuedCompletionStatusEx(poller->port, entries, capacity < BATCH ? (ULONG)capacity : BATCH, count, milliseconds, FALSE) != 0;
}

/// Deals with one packet. True when that is an event.
static bool open_packet(gn_poller *poller, const OVERLAPPED_ENTRY *entry, gn_event *event) {
    switch (entry->lpCompletionKey) {
    case KEY_WAKE:
        // A wake that comes from now on rings again; what came before is answered by this return.
        atomic_store(&poller->rung, false);
        return false;
    case KEY_NOTE:
        gnp_poller_expect_no_more(poller, false);
        return gnp_note_arrived((gnp_note *)(void *)entry->lpOverlapped, event);
    default:
        return gnp_operation_arrived((gnp_operation *)(void *)entry->lpOverlapped, poller, event);
    }
}

/// Takes packets out until no more than the slow ones are expected, or none at all.
static void finish(gn_poller *poller, bool slow_too) {
    OVERLAPPED_ENTRY entries[BATCH];
    gn_event nobody;
    ULONG count;
    while (atomic_load(&poller->expected) > (slow_too ? 0 : atomic_load(&poller->slow))) {
        if (!take(poller, entries, BATCH, INFINITE, &count)) return;
        for (ULONG i = 0; i < count; i++) (void)open_packet(poller, &entries[i], &nobody);
    }
}

static DWORD WINAPI finish_slowly(void *argument) {
    gn_poller *poller = argument;
    finish(poller, true);
    gnp_close(poller->port);
    free(poller);
    return 0;
}

void gn_poller_close(gn_poller *poller) {
    finish(poller, false);
    HANDLE thread = atomic_load(&poller->expected) == 0 ? NULL : CreateThread(NULL, 0, finish_slowly, poller, 0, NULL);
    // Without a thread for it, and as a rule there is nothing to wait for, it is done here.
    if (thread == NULL) (void)finish_slowly(poller);
    gnp_close(thread);
}

uint64_t gnp_poller_number(const gn_poller *poller) { return poller->number; }

HANDLE gnp_poller_port(const gn_poller *poller) { return poller->port; }

void gnp_poller_expect(gn_poller *poller, bool slow) {
    atomic_fetch_add(&poller->expected, 1);
    if (slow) atomic_fetch_add(&poller->slow, 1);
}

void gnp_poller_expect_no_more(gn_poller *poller, bool slow) {
    if (slow) atomic_fetch_sub(&poller->slow, 1);
    atomic_fetch_sub(&poller->expected, 1);
}

void gnp_poller_post(gn_poller *poller, gnp_note *note) {
    gnp_poller_expect(poller, false);
    if (PostQueuedCompletionStatus(poller->port, 0, KEY_NOTE, (OVERLAPPED *)(void *)note)) return;
    // Kernel memory has run out. The news stay with the note and go with the next ones.
    atomic_store(&note->queued, false);
    gnp_poller_expect_no_more(poller, false);
}

// MARK: Channels and listeners

/// Sees to it that the ends of a pipe's operations come to this port, or to none. A pipe that belongs to another port keeps doing so; then its operations are bridged.
static bool associate(gn_poller *poller, gn_channel *channel) {
    if (channel->home == 0) {
        // Without packets for what succeeds at once: only what was pending comes through the port.
        const UCHAR modes = FILE_SKIP_COMPLETION_PORT_ON_SUCCESS | FILE_SKIP_SET_EVENT_ON_HANDLE;
        bool ours = !gnp_fails("CreateIoCompletionPort") && CreateIoCompletionPort(channel->pipe, poller->port, KEY_OPERATION, 0) != NULL &&
                    SetFileCompletionNotificationModes(channel->pipe, modes);
        channel->home = ours ? poller->number : UINT64_MAX;
    }
    return channel->home == poller->number;
}

gn_outcome gn_poller_add_channel(gn_poller *poller, gn_channel *channel, uint64_t token, gn_error *error) {
    if (gnp_watch_begin(&channel->watch, poller, token, error) != GN_DONE) return GN_FAILED;
    channel->direct = associate(poller, channel);
    gn_outcome armed = gnp_channel_arm(channel, error);
    if (armed == GN_FAILED) {
        gnp_channel_leave(channel);
        return GN_FAILED;
    }
    if (armed == GN_DONE) gnp_watch_tell(&channel->watch, GN_EVENT_READABLE, NULL);
    // What has happened to a write before is told now.
    if (channel->writing == NULL || !atomic_load(&channel->writing->pending)) gnp_watch_tell(&channel->watch, GN_EVENT_WRITABLE, &channel->wants_writable);
    return GN_DONE;
}

void gn_poller_remove_channel(gn_poller *poller, gn_channel *channel) {
    if (channel->watch.poller == poller) gnp_channel_leave(channel);
}

gn_outcome gn_poller_add_listener(gn_poller *poller, gn_listener *listener, uint64_t token, gn_error *error) {
    if (gnp_watch_begin(&listener->watch, poller, token, error) != GN_DONE) return GN_FAILED;
    if (gnp_listener_is_ready(listener)) gnp_watch_tell(&listener->watch, GN_EVENT_READABLE, NULL);
    return GN_DONE;
}

void gn_poller_remove_listener(gn_poller *poller, gn_listener *listener) {
    if (listener->watch.poller == poller) gnp_watch_end(&listener->watch);
}

// MARK: Waiting

/// The kernel's unit, rounded up: never early.
static DWORD milliseconds_until(uint64_t deadline, uint64_t now) {
    if (deadline <= now) return 0;
    uint64_t milliseconds = (deadline - now - 1) / 1000000 + 1;
    return milliseconds < INFINITE ? (DWORD)milliseconds : INFINITE - 1;
}

gn_outcome gn_poller_wait(gn_poller *poller, gn_event *events, size_t capacity, uint64_t timeout_ns, size_t *count, gn_error *error) {
    if (capacity == 0) return gnp_fail(error, GN_CODE_INVALID, 0, "GetQueuedCompletionStatusEx");
    bool limited = timeout_ns != 0 && timeout_ns != GN_WAIT_FOR_EVER;
    uint64_t now = limited ? gn_clock_awake() : 0;
    uint64_t deadline = timeout_ns < UINT64_MAX - now ? now + timeout_ns : UINT64_MAX;
    OVERLAPPED_ENTRY entries[BATCH];
    ULONG taken;
    *count = 0;
    for (;;) {
        DWORD time = limited ? milliseconds_until(deadline, now) : timeout_ns == 0 ? 0 : INFINITE;
        if (take(poller, entries, capacity, time, &taken)) break;
        if (GetLastError() != WAIT_TIMEOUT) return gnp_fail(error, GN_CODE_OTHER, (int32_t)GetLastError(), "GetQueuedCompletionStatusEx");
        // The kernel counts in ticks of its own and may be early.
        now = limited ? gn_clock_awake() : 0;
        if (!limited || now >= deadline) return GN_DONE;
    }
    for (ULONG i = 0; i < taken; i++) {
        if (open_packet(poller, &entries[i], &events[*count])) *count += 1;
    }
    return GN_DONE;
}

void gn_poller_wake(gn_poller *poller) {
    if (atomic_exchange(&poller->rung, true)) return;
    if (!PostQueuedCompletionStatus(poller->port, 0, KEY_WAKE, NULL)) atomic_store(&poller->rung, false);
}

#endif
