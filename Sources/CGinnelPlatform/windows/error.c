// Errors: Windows error codes become portable ones in one place, so that no caller has its own table.
#include "win32.h"

#if defined(_WIN32)

#include <stdlib.h>
#include <string.h>

// What this target links beyond kernel32, for compilers that read it here.
#if defined(_MSC_VER)
#pragma comment(lib, "advapi32")
#pragma comment(lib, "bcrypt")
#pragma comment(lib, "ntdll")
#endif

gn_code gnp_code_of(DWORD native) {
    switch (native) {
    case ERROR_FILE_NOT_FOUND: case ERROR_PATH_NOT_FOUND: case ERROR_BAD_NETPATH: return GN_CODE_NOT_FOUND;
    case ERROR_PIPE_BUSY: case ERROR_SEM_TIMEOUT: case ERROR_SHARING_VIOLATION: return GN_CODE_BUSY;
    case ERROR_ALREADY_EXISTS: case ERROR_FILE_EXISTS: return GN_CODE_EXISTS;
    case ERROR_ACCESS_DENIED: case ERROR_PRIVILEGE_NOT_HELD: case ERROR_INVALID_OWNER: return GN_CODE_DENIED;
    case ERROR_FILENAME_EXCED_RANGE: return GN_CODE_NAME_TOO_LONG;
    case ERROR_INVALID_PARAMETER: case ERROR_INVALID_HANDLE: case ERROR_INVALID_NAME: case ERROR_BAD_PATHNAME: case ERROR_NO_UNICODE_TRANSLATION:
        return GN_CODE_INVALID;
    case ERROR_BROKEN_PIPE: case ERROR_NO_DATA: case ERROR_PIPE_NOT_CONNECTED: case ERROR_OPERATION_ABORTED: return GN_CODE_RESET;
    case ERROR_TOO_MANY_OPEN_FILES: case ERROR_NO_MORE_FILES: return GN_CODE_NO_DESCRIPTORS;
    case ERROR_NOT_ENOUGH_MEMORY: case ERROR_OUTOFMEMORY: case ERROR_NO_SYSTEM_RESOURCES: case ERROR_NOT_ENOUGH_QUOTA: case ERROR_COMMITMENT_LIMIT:
    case ERROR_WORKING_SET_QUOTA: case ERROR_NONPAGED_SYSTEM_RESOURCES: case ERROR_PAGED_SYSTEM_RESOURCES:
        return GN_CODE_NO_MEMORY;
    case ERROR_DISK_FULL: case ERROR_HANDLE_DISK_FULL: return GN_CODE_NO_SPACE;
    case ERROR_NOT_SUPPORTED: case ERROR_CALL_NOT_IMPLEMENTED: case ERROR_INVALID_FUNCTION: return GN_CODE_UNSUPPORTED;
    default: return GN_CODE_OTHER;
    }
}

gn_outcome gnp_fail_native(gn_error *error, DWORD native, const char *operation) {
    return gnp_fail(error, gnp_code_of(native), (int32_t)native, operation);
}

gn_outcome gnp_fail_last(gn_error *error, const char *operation) { return gnp_fail_native(error, GetLastError(), operation); }

void gn_error_describe(int32_t native, char *text, size_t capacity) {
    if (capacity == 0) return;
    text[0] = 0;
    WCHAR sentence[512];
    const DWORD flags = FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS;
    DWORD length = FormatMessageW(flags, NULL, (DWORD)native, 0, sentence, sizeof sentence / sizeof sentence[0], NULL);
    while (length > 0 && (sentence[length - 1] <= L' ' || sentence[length - 1] == L'.')) length--;
    sentence[length < 512 ? length : 511] = 0;
    char whole[4 * 512];
    if (!gnp_narrow(sentence, whole, sizeof whole)) return;
    size_t count = strlen(whole) < capacity ? strlen(whole) : capacity - 1;
    // Not within a character.
    while (count > 0 && count < strlen(whole) && ((unsigned char)whole[count] & 0xc0) == 0x80) count--;
    memcpy(text, whole, count);
    text[count] = 0;
}

DWORD gnp_error_of_status(ULONG_PTR status) { return status == 0 ? 0 : RtlNtStatusToDosError((NTSTATUS)status); }

void *gnp_allocate(size_t size) { return gnp_fails("calloc") ? NULL : calloc(1, size); }

gn_outcome gnp_fail_memory(gn_error *error) { return gnp_fail_native(error, ERROR_NOT_ENOUGH_MEMORY, "calloc"); }

void gnp_close(HANDLE handle) {
    if (handle == NULL || handle == INVALID_HANDLE_VALUE) return;
    DWORD kept = GetLastError();
    (void)CloseHandle(handle);
    SetLastError(kept);
}

#endif
