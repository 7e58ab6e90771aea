// Files that are read for their digest: somebody's program, or what the caller names.
//
// A name may lead to anything, a device or a pipe too: it is opened so that neither could act in our name, and only what lies on a disk is read.
#include "win32.h"

#if defined(_WIN32)

#include <stdlib.h>

/// `sharing` is what others may do with the file meanwhile.
static gn_outcome open_file(const WCHAR *path, DWORD sharing, HANDLE *file, gn_error *error) {
    const DWORD flags = SECURITY_SQOS_PRESENT | SECURITY_ANONYMOUS | FILE_FLAG_SEQUENTIAL_SCAN;
    *file = CreateFileW(path, GENERIC_READ, sharing, NULL, OPEN_EXISTING, flags, NULL);
    if (*file == INVALID_HANDLE_VALUE) return gnp_fail_last(error, "CreateFileW");
    if (GetFileType(*file) == FILE_TYPE_DISK) return GN_DONE;
    gnp_close(*file);
    return gnp_fail(error, GN_CODE_INVALID, 0, "GetFileType");
}

gn_outcome gn_file_open(const char *path, gn_handle *file, gn_error *error) {
    HANDLE handle;
    WCHAR *wide = gnp_wide(path);
    if (wide == NULL) return gnp_fail_last(error, "CreateFileW");
    gn_outcome outcome = open_file(wide, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, &handle, error);
    free(wide);
    if (outcome == GN_DONE) *file = (gn_handle)handle;
    return outcome;
}

gn_outcome gn_file_read(gn_handle file, void *bytes, size_t capacity, size_t *count, gn_error *error) {
    DWORD read = 0;
    DWORD wanted = capacity > MAXDWORD ? MAXDWORD : (DWORD)capacity;
    if (gnp_fails("ReadFile") || !ReadFile((HANDLE)file, bytes, wanted, &read, NULL)) return gnp_fail_last(error, "ReadFile");
    *count = read;
    return read == 0 ? GN_END : GN_DONE;
}

bool gnp_program_digest(const WCHAR *path, uint8_t digest[32]) {
    LARGE_INTEGER size;
    HANDLE file;
    gn_error error;
    if (open_file(path, FILE_SHARE_READ | FILE_SHARE_DELETE, &file, &error) != GN_DONE) return false;
    bool small = GetFileSizeEx(file, &size) && size.QuadPart <= GN_DIGEST_LIMIT;
    bool whole = small && gnp_digest_program((gn_handle)file, digest);
    gnp_close(file);
    return whole;
}

#endif
