// Named pipes themselves: names, instances, clients.
//
// Names are checked before the system sees them, because it would take a path to any file or device as well, drop dots and spaces at an end, and treat a slash as a backslash:
// what was asked for must be what is opened.
#include "win32.h"

#if defined(_WIN32)

#include <stdlib.h>
#include <string.h>
#include <wchar.h>

static const WCHAR prefix[] = L"\\\\.\\pipe\\";

enum { PREFIX = sizeof prefix / sizeof prefix[0] - 1, LONGEST = 256 };

/// FilePipeLocalInformation and FileModeInformation, as the driver kit documents them.
enum { MODE_INFORMATION = 16, LOCAL_INFORMATION = 24, SYNCHRONOUS = 0x10 | 0x20, FULL_DUPLEX = 2, CONNECTED = 3, CLOSING = 4 };

typedef struct local_information {
    ULONG type, configuration, most, current, inbound_quota, readable, outbound_quota, writable, state, end;
} local_information;

size_t gn_path_limit(bool *longer_works) {
    *longer_works = false;
    return LONGEST;
}

// MARK: Names

static bool takes(WCHAR character) { return character > 0x1f && wcschr(L"\\/<>:\"|?*", character) == NULL; }

gn_outcome gnp_pipe_name(const char *path, WCHAR **name, gn_error *error) {
    WCHAR *wide = gnp_wide(path);
    if (wide == NULL) return gnp_fail_last(error, "gnp_pipe_name");
    size_t length = wcslen(wide);
    bool valid = length > PREFIX && _wcsnicmp(wide, prefix, PREFIX) == 0 && wide[length - 1] != L'.' && wide[length - 1] != L' ';
    for (size_t i = PREFIX; valid && i < length; i++) valid = takes(wide[i]);
    if (valid && length <= LONGEST) {
        *name = wide;
        return GN_DONE;
    }
    free(wide);
    if (valid) return gnp_fail(error, GN_CODE_NAME_TOO_LONG, ERROR_FILENAME_EXCED_RANGE, "gnp_pipe_name");
    return gnp_fail(error, GN_CODE_INVALID, ERROR_INVALID_NAME, "gnp_pipe_name");
}

// MARK: Both ends

gn_outcome gnp_pipe_create(const WCHAR *name, PSECURITY_DESCRIPTOR descriptor, bool first, DWORD most, HANDLE *pipe, gn_error *error) {
    SECURITY_ATTRIBUTES attributes = {.nLength = sizeof attributes, .lpSecurityDescriptor = descriptor, .bInheritHandle = FALSE};
    const DWORD mode = PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED | (first ? FILE_FLAG_FIRST_PIPE_INSTANCE : 0u);
    const DWORD kind = PIPE_TYPE_BYTE | PIPE_READMODE_BYTE | PIPE_WAIT | PIPE_REJECT_REMOTE_CLIENTS;
    *pipe = gnp_fails("CreateNamedPipeW") ? INVALID_HANDLE_VALUE
                                          : CreateNamedPipeW(name, mode, kind, most, GNP_PIPE_ROOM, GNP_PIPE_ROOM, 0, &attributes);
    if (*pipe != INVALID_HANDLE_VALUE) return GN_DONE;
    DWORD native = GetLastError();
    bool taken = first && (native == ERROR_ACCESS_DENIED || native == ERROR_PIPE_BUSY);
    return gnp_fail(error, taken ? GN_CODE_EXISTS : gnp_code_of(native), (int32_t)native, "CreateNamedPipeW");
}

gn_outcome gnp_pipe_connect(const WCHAR *name, HANDLE *pipe, gn_error *error) {
    // The service may learn who we are and may not act in our name.
    const DWORD flags = FILE_FLAG_OVERLAPPED | SECURITY_SQOS_PRESENT | SECURITY_IDENTIFICATION;
    *pipe = gnp_fails("CreateFileW") ? INVALID_HANDLE_VALUE : CreateFileW(name, GNP_PIPE_CLIENT, 0, NULL, OPEN_EXISTING, flags, NULL);
    return *pipe != INVALID_HANDLE_VALUE ? GN_DONE : gnp_fail_last(error, "CreateFileW");
}

bool gnp_pipe_look(HANDLE pipe, gnp_pipe_state *state) {
    IO_STATUS_BLOCK block;
    DWORD flags;
    ULONG mode = 0;
    local_information local = {0};
    if (!GetNamedPipeInfo(pipe, &flags, NULL, NULL, NULL)) return false;
    NTSTATUS status = NtQueryInformationFile(pipe, &block, &mode, sizeof mode, (FILE_INFORMATION_CLASS)MODE_INFORMATION);
    if (status == 0) status = NtQueryInformationFile(pipe, &block, &local, sizeof local, (FILE_INFORMATION_CLASS)LOCAL_INFORMATION);
    if (status != 0) {
        SetLastError(RtlNtStatusToDosError(status));
        return false;
    }
    *state = (gnp_pipe_state){.server = (flags & PIPE_SERVER_END) != 0,
                              .overlapped = (mode & SYNCHRONOUS) == 0,
                              .duplex = local.configuration == FULL_DUPLEX,
                              .connected = local.state == CONNECTED || local.state == CLOSING};
    return true;
}

#endif
