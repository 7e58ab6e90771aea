// Directories that hold sockets: made with an exact mode, and looked at through an open descriptor, so that what was
// checked is what is used.
//
// A directory that is ours and in which nobody else can have put anything is brought to the mode that was asked for. One that
// others could write to is refused even when it is ours: what is in it cannot be trusted any more. One of somebody else is
// accepted only where sharing is asked for, it is root's, and it is sticky, so that others cannot remove what is ours.
#include "posix.h"

#if !defined(_WIN32)

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { WRITABLE_BY_OTHERS = S_IWGRP | S_IWOTH };

static bool others_may_write(const struct stat *status) { return (status->st_mode & WRITABLE_BY_OTHERS) != 0; }

static int make_directory(const char *path) {
    int result;
    GNP_RETRY(result, "mkdir", mkdir(path, S_IRWXU));
    return result;
}

static int open_directory(const char *path, int follow) {
    int descriptor;
    GNP_RETRY(descriptor, "openat", openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | follow));
    return descriptor;
}

/// Brings a directory of ours to its exact mode and group.
static gn_outcome settle(int descriptor, struct stat *status, const gn_listen_options *options, gn_error *error) {
    if (options->group >= 0 && status->st_gid != (gid_t)options->group && fchown(descriptor, (uid_t)-1, (gid_t)options->group) != 0) {
        return gnp_fail_errno(error, "fchown");
    }
    if ((status->st_mode & 07777) != options->directory_mode && fchmod(descriptor, (mode_t)options->directory_mode) != 0) {
        return gnp_fail_errno(error, "fchmod");
    }
    return fstat(descriptor, status) == 0 ? GN_DONE : gnp_fail_errno(error, "fstat");
}

/// Decides about an open directory; `made` tells that it did not exist before.
static gn_outcome check(int descriptor, const char *path, bool made, const gn_listen_options *options, gn_endpoint_facts *facts,
                        gn_error *error) {
    struct stat status;
    if (fstat(descriptor, &status) != 0) return gnp_fail_errno(error, "fstat");
    gnp_facts_directory(facts, &status);
    if (options->shared_directory && status.st_uid == 0 && (status.st_mode & S_ISVTX) != 0) return GN_DONE;
    if (status.st_uid != geteuid()) return gnp_blame(facts, path, GN_CODE_UNSAFE, 0, "fstat", error);
    if (!made && others_may_write(&status)) return gnp_blame(facts, path, GN_CODE_UNSAFE, 0, "fstat", error);
    if (options->shared_directory && !made) return GN_DONE;
    gn_outcome outcome = settle(descriptor, &status, options, error);
    gnp_facts_directory(facts, &status);
    if (outcome != GN_DONE) return outcome;
    bool exact = (status.st_mode & 07777) == options->directory_mode && (options->group < 0 || status.st_gid == (gid_t)options->group);
    return exact ? GN_DONE : gnp_blame(facts, path, GN_CODE_UNSAFE, 0, "fstat", error);
}

gn_outcome gnp_directory_open(const char *directory, const gn_listen_options *options, int *descriptor, gn_endpoint_facts *facts,
                              gn_error *error) {
    bool made = options->create_directory && make_directory(directory) == 0;
    if (options->create_directory && !made && errno != EEXIST) {
        return gnp_blame(facts, directory, gnp_code_of(errno), errno, "mkdir", error);
    }
    struct stat status;
    if (lstat(directory, &status) != 0) return gnp_blame(facts, directory, gnp_code_of(errno), errno, "lstat", error);
    facts->directory_exists = true;
    int follow = O_NOFOLLOW;
    if (S_ISLNK(status.st_mode)) {
        gnp_facts_directory(facts, &status);
        facts->directory_is_link = true;
        // Where directories are shared, root's own links are part of the system (/tmp on macOS is one).
        if (!options->shared_directory || status.st_uid != 0) return gnp_blame(facts, directory, GN_CODE_UNSAFE, 0, "lstat", error);
        follow = 0;
    }
    if (!S_ISLNK(status.st_mode) && !S_ISDIR(status.st_mode)) return gnp_blame(facts, directory, GN_CODE_UNSAFE, ENOTDIR, "lstat", error);
    int opened = open_directory(directory, follow);
    if (opened < 0) return gnp_blame(facts, directory, gnp_code_of(errno), errno, "openat", error);
    gn_outcome outcome = check(opened, directory, made, options, facts, error);
    if (outcome == GN_DONE) *descriptor = opened;
    else gnp_close(opened);
    return outcome;
}

gn_outcome gn_directory_prepare(const char *path, gn_error *error) {
    bool made = make_directory(path) == 0;
    if (!made && errno != EEXIST) return gnp_fail_errno(error, "mkdir");
    int descriptor = open_directory(path, O_NOFOLLOW);
    if (descriptor < 0) {
        // A link, or something that is no directory.
        if (errno == ELOOP || errno == ENOTDIR) return gnp_fail(error, GN_CODE_UNSAFE, errno, "openat");
        return gnp_fail_errno(error, "openat");
    }
    struct stat status;
    gn_outcome outcome = GN_DONE;
    // The mask of the process may have taken bits away, never added any.
    if (made && fchmod(descriptor, S_IRWXU) != 0) outcome = gnp_fail_errno(error, "fchmod");
    else if (fstat(descriptor, &status) != 0) outcome = gnp_fail_errno(error, "fstat");
    else if (status.st_uid != geteuid() || others_may_write(&status)) outcome = gnp_fail(error, GN_CODE_UNSAFE, 0, "fstat");
    gnp_close(descriptor);
    return outcome;
}

#endif
