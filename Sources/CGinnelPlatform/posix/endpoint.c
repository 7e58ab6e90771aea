// What stands at an endpoint's path, for error messages and tools, and the small questions about paths and groups.
#include "posix.h"

#if !defined(_WIN32)

#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool gnp_path_split(const char *path, char directory[PATH_MAX], char name[NAME_MAX + 1]) {
    const char *slash = strrchr(path, '/');
    if (slash == NULL) return false;
    size_t directory_length = (size_t)(slash - path), name_length = strlen(slash + 1);
    if (directory_length >= PATH_MAX || name_length == 0 || name_length > NAME_MAX) return false;
    if (strcmp(slash + 1, ".") == 0 || strcmp(slash + 1, "..") == 0) return false;
    memcpy(directory, path, directory_length);
    directory[directory_length] = 0;
    if (directory_length == 0) memcpy(directory, "/", 2);
    memcpy(name, slash + 1, name_length + 1);
    return true;
}

gn_outcome gnp_blame(gn_endpoint_facts *facts, const char *path, gn_code code, int native, const char *operation, gn_error *error) {
    if (code == GN_CODE_UNSAFE || code == GN_CODE_DENIED || code == GN_CODE_NOT_A_SOCKET) {
        size_t length = strlen(path) < sizeof facts->offender ? strlen(path) : sizeof facts->offender - 1;
        memcpy(facts->offender, path, length);
        facts->offender[length] = 0;
    }
    return gnp_fail(error, code, native, operation);
}

void gnp_facts_directory(gn_endpoint_facts *facts, const struct stat *status) {
    facts->directory_exists = true;
    facts->directory_owner = status->st_uid;
    facts->directory_group = status->st_gid;
    facts->directory_mode = status->st_mode & 07777;
}

void gnp_facts_socket(gn_endpoint_facts *facts, const struct stat *status) {
    facts->socket_exists = true;
    facts->socket_is_link = S_ISLNK(status->st_mode);
    facts->socket_is_socket = S_ISSOCK(status->st_mode);
    facts->socket_owner = status->st_uid;
    facts->socket_group = status->st_gid;
    facts->socket_mode = status->st_mode & 07777;
}

void gnp_facts_lock(gn_endpoint_facts *facts, const struct stat *status) {
    facts->lock_exists = true;
    facts->lock_owner = status->st_uid;
    facts->lock_mode = status->st_mode & 07777;
}

static void inspect_lock(const char *path, gn_endpoint_facts *facts) {
    char lock_path[PATH_MAX];
    struct stat status;
    if (snprintf(lock_path, sizeof lock_path, "%s.lock", path) >= (int)sizeof lock_path || lstat(lock_path, &status) != 0) return;
    gnp_facts_lock(facts, &status);
    int descriptor = open(lock_path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0) return;
    facts->lock_held = gnp_lock_seen(descriptor);
    if (facts->lock_held) facts->lock_holder = gnp_lock_holder(descriptor);
    gnp_close(descriptor);
}

void gn_endpoint_inspect(const char *path, gn_endpoint_facts *facts) {
    memset(facts, 0, sizeof *facts);
    char directory[PATH_MAX], name[NAME_MAX + 1];
    struct stat status;
    gn_error error;
    if (!gnp_path_split(path, directory, name)) return;
    if (lstat(directory, &status) != 0) {
        if (errno == EACCES) (void)gnp_blame(facts, directory, GN_CODE_DENIED, EACCES, "lstat", &error);
        return;
    }
    gnp_facts_directory(facts, &status);
    facts->directory_is_link = S_ISLNK(status.st_mode);
    if (facts->directory_is_link && stat(directory, &status) == 0) gnp_facts_directory(facts, &status);
    if (lstat(path, &status) == 0) {
        gnp_facts_socket(facts, &status);
        if (!S_ISSOCK(status.st_mode)) (void)gnp_blame(facts, path, GN_CODE_NOT_A_SOCKET, 0, "lstat", &error);
    } else if (errno == EACCES) {
        (void)gnp_blame(facts, directory, GN_CODE_DENIED, EACCES, "lstat", &error);
    }
    inspect_lock(path, facts);
    if (!facts->socket_is_socket) return;
    int probe;
    gn_outcome answer = gnp_connect(path, &probe, &error);
    if (answer == GN_DONE) gnp_close(probe);
    facts->answers = answer == GN_DONE || error.code == GN_CODE_BUSY;
    if (answer == GN_FAILED && error.code == GN_CODE_DENIED) (void)gnp_blame(facts, path, GN_CODE_DENIED, error.native, "connect", &error);
}

gn_outcome gn_endpoint_path(gn_endpoint_kind kind, const char *name, size_t index, char *path, size_t capacity, bool *needs_parent,
                            gn_error *error) {
    if (name[0] == 0 || strchr(name, '/') != NULL || strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
        return gnp_fail(error, GN_CODE_INVALID, 0, "gn_endpoint_path");
    }
    char base[PATH_MAX];
    *needs_parent = false;
    if (!gnp_endpoint_base(kind, index, base, needs_parent)) return gnp_fail(error, GN_CODE_NOT_FOUND, 0, "gn_endpoint_path");
    int length = snprintf(path, capacity, "%s/%s/service.sock", base, name);
    if (length < 0 || (size_t)length >= capacity) return gnp_fail(error, GN_CODE_NAME_TOO_LONG, 0, "gn_endpoint_path");
    return GN_DONE;
}

gn_outcome gn_group_id(const char *name, uint32_t *group, gn_error *error) {
    struct group entry, *found = NULL;
    for (size_t size = 1024; size <= 1 << 20; size *= 4) {
        char *room = gnp_allocate(size);
        if (room == NULL) return gnp_fail(error, GN_CODE_NO_MEMORY, ENOMEM, "calloc");
        int native;
        do native = getgrnam_r(name, &entry, room, size, &found);
        while (native == EINTR);
        bool exists = native == 0 && found != NULL;
        if (exists) *group = entry.gr_gid;
        free(room);
        if (exists) return GN_DONE;
        if (native != ERANGE) return gnp_fail(error, GN_CODE_NOT_FOUND, native, "getgrnam_r");
    }
    return gnp_fail(error, GN_CODE_NO_MEMORY, ERANGE, "getgrnam_r");
}

#endif
