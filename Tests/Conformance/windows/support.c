// Support for the checks of Windows: see windows_support.h.
#include "windows_support.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <winternl.h>

// MARK: The time limit

static HANDLE limit_changed;
static atomic_uint limit_seconds;

static DWORD WINAPI watch_limit(void *unused) {
    (void)unused;
    for (;;) {
        unsigned seconds = atomic_load(&limit_seconds);
        if (WaitForSingleObject(limit_changed, seconds == 0 ? INFINITE : 1000 * seconds) == WAIT_OBJECT_0) continue;
        (void)fprintf(stderr, "the time limit of %u seconds is over\n", seconds);
        (void)fflush(stderr);
        ExitProcess(124);
    }
}

static VOID CALLBACK nothing(PTP_CALLBACK_INSTANCE instance, PVOID argument, PTP_WAIT wait, TP_WAIT_RESULT result) {
    (void)instance, (void)argument, (void)wait, (void)result;
}

static VOID CALLBACK ring(PTP_CALLBACK_INSTANCE instance, PVOID argument, PTP_TIMER timer) {
    (void)instance, (void)timer;
    (void)SetEvent(argument);
}

/// Makes what this program keeps for its whole life, so that it is not counted as what a check has left: the thread above, the thread pool with something
/// to wait for, and the directory of named objects, which the system opens with the first name.
static void prepare(void) {
    if (limit_changed != NULL) return;
    limit_changed = CreateEventW(NULL, FALSE, FALSE, NULL);
    HANDLE thread = CreateThread(NULL, 0, watch_limit, NULL, 0, NULL), never = CreateEventW(NULL, TRUE, FALSE, NULL), rung = CreateEventW(NULL, FALSE, FALSE, NULL);
    (void)CloseHandle(thread);
    SetThreadpoolWait(CreateThreadpoolWait(nothing, NULL, NULL), never, NULL);
    FILETIME now = {0};
    PTP_TIMER timer = CreateThreadpoolTimer(ring, rung, NULL);
    SetThreadpoolTimer(timer, &now, 0, 0);
    (void)OpenEventW(SYNCHRONIZE, FALSE, L"Local\\ginnel-none");
    (void)WaitForSingleObject(rung, INFINITE);
}

void support_time_limit(unsigned seconds) {
    prepare();
    atomic_store(&limit_seconds, seconds);
    (void)SetEvent(limit_changed);
}

// MARK: Handles

/// SystemHandleInformation: all handles of the machine. Wine does not count them for a process alone.
typedef struct handle_entry {
    ULONG owner;
    BYTE type, flags;
    USHORT value;
    PVOID object;
    ULONG access;
} handle_entry;

typedef struct handle_list {
    ULONG count;
    handle_entry each[];
} handle_list;

static uint64_t count_ours(void) {
    uint64_t ours = 0;
    for (ULONG size = 1 << 20; size <= 1 << 28; size *= 2) {
        handle_list *all = malloc(size);
        NTSTATUS status = all == NULL ? -1 : NtQuerySystemInformation((SYSTEM_INFORMATION_CLASS)16, all, size, NULL);
        for (ULONG i = 0; status == 0 && i < all->count; i++) ours += all->each[i].owner == GetCurrentProcessId();
        free(all);
        if (status == 0) return ours;
    }
    return 0;
}

uint64_t support_open_descriptors(void) {
    uint64_t limit, count;
    prepare();
    gn_descriptor_limit(&limit, &count);
    return count != 0 ? count : count_ours();
}

// MARK: Endpoints

void pipe_name(char path[512]) {
    static unsigned next;
    (void)snprintf(path, 512, "\\\\.\\pipe\\ginnel-conformance-%lu-%u", GetCurrentProcessId(), next++);
}

void wide_name(const char *path, WCHAR wide[512]) { EXPECT(MultiByteToWideChar(CP_UTF8, 0, path, -1, wide, 512) > 0); }

void support_endpoint(char path[512], gn_listen_options *options) {
    pipe_name(path);
    *options = (gn_listen_options){
        .path = path, .create_directory = true, .directory_mode = 0700, .socket_mode = 0600, .group = -1, .backlog = 16};
}

void support_endpoint_remove(const char *path) { (void)path; }

gn_listener *open_listener(const char *path, uint32_t mode) {
    gn_listen_options options = {.path = path, .directory_mode = 0700, .socket_mode = mode, .group = -1, .backlog = 2};
    gn_listener *listener;
    gn_endpoint_facts facts;
    gn_error error;
    EXPECT(gn_listener_open(&options, &listener, &facts, &error) == GN_DONE);
    return listener;
}

void await(bool (*is_true)(void *), void *argument) {
    gn_poller *poller;
    gn_error error;
    EXPECT(gn_poller_open(&poller, &error) == GN_DONE);
    unsigned turn = 0;
    for (; turn < 10000 && !is_true(argument); turn++) {
        gn_event event;
        size_t count;
        (void)gn_poller_wait(poller, &event, 1, 1000000, &count, &error);
    }
    gn_poller_close(poller);
    EXPECT(turn < 10000);
}

// MARK: Channels

size_t fill_channel(gn_channel *channel) {
    static const char bytes[65536];
    for (size_t total = 0;;) {
        gn_span span = {.bytes = bytes, .count = sizeof bytes};
        size_t count;
        gn_error error;
        gn_outcome outcome = gn_channel_write(channel, &span, 1, &count, &error);
        if (outcome == GN_WOULD_BLOCK) return total;
        EXPECT(outcome == GN_DONE);
        total += count;
    }
}

void ends_echo(struct ends *ends) {
    char bytes[4];
    ends_write(ends, TOKEN_A, "ping", 4);
    ends_read_exactly(ends, TOKEN_B, bytes, 4);
    ends_write(ends, TOKEN_B, "pong", 4);
    ends_read_exactly(ends, TOKEN_A, bytes, 4);
    EXPECT(memcmp(bytes, "pong", 4) == 0);
}

// MARK: Handles that travel

// A pipe carries none. As a program would, these put a copy into the other process and send its number.

void support_send(struct ends *ends, uint64_t token, uint32_t process, const gn_handle *handles, size_t count) {
    HANDLE target = OpenProcess(PROCESS_DUP_HANDLE, FALSE, process), copy;
    EXPECT(target != NULL);
    ends_write(ends, token, "h", 1);
    for (size_t i = 0; i < count; i++) {
        EXPECT(DuplicateHandle(GetCurrentProcess(), (HANDLE)handles[i], target, &copy, 0, FALSE, DUPLICATE_SAME_ACCESS));
        ends_write(ends, token, &copy, sizeof copy);
    }
    (void)CloseHandle(target);
}

void support_take(struct ends *ends, uint64_t token, gn_handle *handles, size_t count) {
    char byte;
    ends_read_exactly(ends, token, &byte, 1);
    ends_read_exactly(ends, token, handles, count * sizeof *handles);
}

gn_handle ends_pass(struct ends *ends, gn_handle handle) {
    gn_handle taken;
    support_send(ends, TOKEN_A, GetCurrentProcessId(), &handle, 1);
    support_take(ends, TOKEN_B, &taken, 1);
    return taken;
}

unsigned support_many_rings(void) { return differs(WINE_LONG_QUEUES) ? 2000 : 300000; }

// MARK: Wine

static const char *const differences[WINE_DIFFERENCES] = {
    [WINE_FIRST_INSTANCE] = "Wine makes a second first instance of a pipe: that FILE_FLAG_FIRST_PIPE_INSTANCE refuses it was not shown",
    [WINE_PIPE_ACCESS] = "Wine opens pipes for anybody, whatever their descriptors say: being denied was scripted",
    [WINE_LEVEL] = "Wine lets a service act for its clients whatever they say when they open the pipe: that ours let it identify them only was not shown",
    [WINE_LONG_PROGRAMS] = "Wine starts no program whose path is over 260 characters: one of 150 was read instead of one of 450",
    [WINE_LONG_QUEUES] = "Wine looks through all unread writes of a pipe at each one: doorbells were rung 2,000 times in a row instead of 300,000",
};

static bool noted[WINE_DIFFERENCES];

bool differs(wine_difference difference) {
    HMODULE library = GetModuleHandleW(L"ntdll.dll");
    bool wine = library != NULL && GetProcAddress(library, "wine_get_version") != NULL;
    if (wine) noted[difference] = true;
    return wine;
}

void differences_print(void) {
    for (int i = 0; i < WINE_DIFFERENCES; i++) {
        if (noted[i]) (void)printf("# %s\n", differences[i]);
    }
}

// MARK: Suites

void support_suites(void) {
    suite_pipes();
    suite_endings();
    suite_security();
    suite_identity();
    suite_processes();
    suite_segments();
    suite_lending();
    suite_claims();
    suite_faults();
    differences_print();
}
