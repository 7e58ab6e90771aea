// Directories of ours. Endpoints need none on Windows, whose pipes are in no directory; this is for what a program keeps on disk.
//
// A directory is made with a protected descriptor for this user alone, and looked at through an open handle, so that what was checked is what was found. A link is not followed.
#include "win32.h"

#if defined(_WIN32)

#include <stdlib.h>
#include <string.h>

static gn_outcome make_directory(const WCHAR *path, gn_error *error) {
    PSECURITY_DESCRIPTOR descriptor = gnp_descriptor("", error);
    if (descriptor == NULL) return GN_FAILED;
    SECURITY_ATTRIBUTES attributes = {.nLength = sizeof attributes, .lpSecurityDescriptor = descriptor, .bInheritHandle = FALSE};
    bool made = !gnp_fails("CreateDirectoryW") && CreateDirectoryW(path, &attributes);
    DWORD native = made ? 0 : GetLastError();
    LocalFree(descriptor);
    return made || native == ERROR_ALREADY_EXISTS ? GN_DONE : gnp_fail_native(error, native, "CreateDirectoryW");
}

/// What lets somebody change what is in a directory, or who may.
static const DWORD changing = GENERIC_ALL | GENERIC_WRITE | WRITE_DAC | WRITE_OWNER | DELETE | FILE_ADD_FILE | FILE_ADD_SUBDIRECTORY | FILE_DELETE_CHILD;

static gn_outcome check(const WCHAR *path, gn_error *error) {
    const DWORD flags = FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT;
    HANDLE directory = CreateFileW(path, FILE_READ_ATTRIBUTES | READ_CONTROL, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL, OPEN_EXISTING, flags, NULL);
    if (directory == INVALID_HANDLE_VALUE) return gnp_fail_last(error, "CreateFileW");
    BY_HANDLE_FILE_INFORMATION facts;
    char owner[GNP_SID_TEXT], own[GNP_SID_TEXT];
    bool real = GetFileInformationByHandle(directory, &facts) && (facts.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) != 0 &&
                (facts.dwFileAttributes & FILE_ATTRIBUTE_REPARSE_POINT) == 0;
    bool ours = gnp_sid_of_owner(directory, owner) && gnp_sid_own(own) && strcmp(owner, own) == 0;
    bool closed = !gnp_open_to_others(directory, changing);
    gnp_close(directory);
    return real && ours && closed ? GN_DONE : gnp_fail(error, GN_CODE_UNSAFE, 0, "GetSecurityInfo");
}

gn_outcome gn_directory_prepare(const char *path, gn_error *error) {
    WCHAR *wide = gnp_wide(path);
    if (wide == NULL) return gnp_fail_last(error, "CreateDirectoryW");
    gn_outcome outcome = make_directory(wide, error);
    if (outcome == GN_DONE) outcome = check(wide, error);
    free(wide);
    return outcome;
}

#endif
