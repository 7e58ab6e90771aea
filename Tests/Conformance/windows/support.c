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

uint64_t support_mappings(void) {
    uint64_t count = 0;
    MEMORY_BASIC_INFORMATION part;
    for (char *address = NULL; VirtualQuery(address, &part, sizeof part) != 0; address = (char *)part.BaseAddress + part.RegionSize) {
        count += part.Type == MEM_MAPPED && part.State == MEM_COMMIT && part.Protect == PAGE_READWRITE;
    }
    return count;
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

void support_long_endpoint(char path[512], size_t length, gn_listen_options *options) {
    pipe_name(path);
    size_t begin = strlen(path);
    memset(path + begin, 'n', length - begin);
    path[length] = 0;
    *options = (gn_listen_options){.path = path, .directory_mode = 0700, .socket_mode = 0600, .group = -1, .backlog = 16};
}

// MARK: Files

static void wide_path(const char *path, WCHAR wide[1024]) { EXPECT(MultiByteToWideChar(CP_UTF8, 0, path, -1, wide, 1024) > 0); }

void support_directory(char path[512]) {
    WCHAR temporary[MAX_PATH], wide[MAX_PATH + 32];
    uint32_t number;
    gn_error error;
    EXPECT(gn_random(&number, sizeof number, &error) == GN_DONE && GetTempPathW(MAX_PATH, temporary) > 0);
    (void)swprintf(wide, MAX_PATH + 32, L"%lsginnel-%08x\\", temporary, number);
    EXPECT(CreateDirectoryW(wide, NULL) && WideCharToMultiByte(CP_UTF8, 0, wide, -1, path, 512, NULL, NULL) > 0);
}

void support_directory_remove(const char *path) {
    WCHAR wide[1024], each[2048];
    WIN32_FIND_DATAW found;
    wide_path(path, wide);
    (void)swprintf(each, 2048, L"%ls*", wide);
    HANDLE search = FindFirstFileW(each, &found);
    EXPECT(search != INVALID_HANDLE_VALUE);
    do {
        if (wcscmp(found.cFileName, L".") == 0 || wcscmp(found.cFileName, L"..") == 0) continue;
        (void)swprintf(each, 2048, L"%ls%ls", wide, found.cFileName);
        EXPECT((found.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) != 0 ? RemoveDirectoryW(each) : DeleteFileW(each));
    } while (FindNextFileW(search, &found));
    EXPECT(FindClose(search) && RemoveDirectoryW(wide));
}

void support_write_file(const char *path, const char *text) {
    WCHAR wide[1024];
    DWORD count;
    wide_path(path, wide);
    HANDLE file = CreateFileW(wide, GENERIC_WRITE, 0, NULL, CREATE_NEW, 0, NULL);
    EXPECT(file != INVALID_HANDLE_VALUE && WriteFile(file, text, (DWORD)strlen(text), &count, NULL) && CloseHandle(file));
}

void support_copy_program(const char *path, uint64_t size) {
    WCHAR wide[1024], own[1024];
    DWORD length = 1024, count;
    wide_path(path, wide);
    EXPECT(QueryFullProcessImageNameW(GetCurrentProcess(), 0, own, &length) && CopyFileW(own, wide, TRUE));
    HANDLE file = CreateFileW(wide, GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0, NULL);
    LARGE_INTEGER end = {.QuadPart = 0}, wanted = {.QuadPart = (LONGLONG)size};
    // Another program in its last byte, which no loader looks at.
    EXPECT(file != INVALID_HANDLE_VALUE && SetFilePointerEx(file, end, NULL, FILE_END) && WriteFile(file, "!", 1, &count, NULL));
    EXPECT(size == 0 || (SetFilePointerEx(file, wanted, NULL, FILE_BEGIN) && SetEndOfFile(file)));
    EXPECT(CloseHandle(file));
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

// MARK: Suites

/// What Linux and macOS have instead is named where there is something.
static const check_suite suites[] = {
    {"pipes", suite_pipes, "instances of named pipes and how they are named; a socket has a backlog and a file", "sockets"},
    {"pipe endings", suite_pipe_endings, "half a close is a capability of sockets, and only a pipe loses what was written when its end goes", "kernel"},
    {"asked", suite_asked, "what CreateNamedPipeW, CreateFileW and ReadFile are asked for; other systems have other calls", "faults"},
    {"security", suite_security, "security descriptors and tokens; files have owners and modes", "directories"},
    {"identity", suite_identity, "SIDs, sessions and process handles; Linux and macOS have numbers and pidfds", "identity"},
    {"processes", suite_processes, "handles, console output and text as Windows has them", "children"},
    {"segments", suite_segments, "mappings with security descriptors; elsewhere they are files and memfds", "segment files"},
    {"lending", suite_lending, "handles that are lent and claimed by number; elsewhere descriptors travel beside bytes", "descriptors"},
    {"claims", suite_claims, "numbers of handles from a peer that lies; elsewhere descriptors travel beside bytes", "descriptors"},
    {"faults", suite_faults, "each system call, by its name, failed by script", "faults"},
};

void support_waiting_suites(void) {}

void support_suites(void) { check_suites(suites, sizeof suites / sizeof suites[0]); }
