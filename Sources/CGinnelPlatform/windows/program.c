// The digest of a program's file. It is a stranger's file, so it is read up to a limit, whatever size it claims to have.
#include "win32.h"

#if defined(_WIN32)

#include <stdlib.h>

enum { PORTION = 65536 };

static bool read_digest(HANDLE file, uint8_t digest[32]) {
    char *portion = gnp_allocate(PORTION);
    if (portion == NULL) return false;
    gnp_sha256 hash;
    uint64_t total = 0;
    DWORD count = 0;
    bool whole = false;
    gnp_sha256_begin(&hash);
    while (!gnp_fails("ReadFile") && ReadFile(file, portion, PORTION, &count, NULL)) {
        whole = count == 0;
        total += count;
        if (whole || total > GN_DIGEST_LIMIT) break;
        gnp_sha256_add(&hash, portion, count);
    }
    gnp_sha256_end(&hash, digest);
    free(portion);
    return whole;
}

bool gnp_program_digest(const WCHAR *path, uint8_t digest[32]) {
    LARGE_INTEGER size;
    // Its name may lead to a device or a pipe by now; opened so, neither could act in our name.
    const DWORD flags = SECURITY_SQOS_PRESENT | SECURITY_ANONYMOUS | FILE_FLAG_SEQUENTIAL_SCAN;
    HANDLE file = CreateFileW(path, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_DELETE, NULL, OPEN_EXISTING, flags, NULL);
    if (file == INVALID_HANDLE_VALUE) return false;
    bool small = GetFileType(file) == FILE_TYPE_DISK && GetFileSizeEx(file, &size) && size.QuadPart <= GN_DIGEST_LIMIT;
    bool whole = small && read_digest(file, digest);
    gnp_close(file);
    return whole;
}

#endif
