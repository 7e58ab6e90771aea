// Listening: one live service per path, proven by a lock, and no socket that is ever open to more people than asked for.
//
// The order is what makes it safe. Directory first, then the lock, and only under the lock is a socket that stands in the way
// judged: it is removed when it is ours and nobody answers. The new socket is bound, given its group and mode and checked
// before listen() is called; until then a connect is refused, so its first mode lets nobody in.
#include "posix.h"

#if !defined(_WIN32)

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool valid(const gn_listen_options *options) {
    return options->path[0] == '/' && options->backlog >= 1 && options->backlog <= 4096 && options->directory_mode <= 0777 &&
           options->socket_mode <= 0777 && options->group >= -1 && options->group < UINT32_MAX;
}

/// Looks at what has the socket's name. GN_END: nothing.
static gn_outcome look(const gn_listener *listener, gn_endpoint_facts *facts, struct stat *status, gn_error *error) {
    if (fstatat(listener->directory, listener->name, status, AT_SYMLINK_NOFOLLOW) != 0) {
        return errno == ENOENT ? GN_END : gnp_fail_errno(error, "fstatat");
    }
    gnp_facts_socket(facts, status);
    return GN_DONE;
}

/// Removes a socket that a dead service of ours left behind, and nothing else.
static gn_outcome clear_stale(gn_listener *listener, const char *path, gn_endpoint_facts *facts, gn_error *error) {
    struct stat status;
    gn_outcome found = look(listener, facts, &status, error);
    if (found != GN_DONE) return found == GN_END ? GN_DONE : GN_FAILED;
    if (S_ISLNK(status.st_mode)) return gnp_blame(facts, path, GN_CODE_UNSAFE, 0, "fstatat", error);
    if (!S_ISSOCK(status.st_mode)) return gnp_blame(facts, path, GN_CODE_NOT_A_SOCKET, 0, "fstatat", error);
    if (status.st_uid != geteuid()) return gnp_blame(facts, path, GN_CODE_UNSAFE, 0, "fstatat", error);
    int probe;
    gn_outcome answer = gnp_connect(path, &probe, error);
    if (answer == GN_DONE) gnp_close(probe);
    // A full queue is a living service, and so is a datagram socket that somebody holds.
    if (answer == GN_DONE || error->code == GN_CODE_BUSY || error->code == GN_CODE_NOT_A_SOCKET) {
        facts->answers = true;
        return gnp_fail(error, GN_CODE_BUSY, 0, "connect");
    }
    if (error->code == GN_CODE_NOT_FOUND) return GN_DONE;
    if (error->code == GN_CODE_DENIED) return gnp_blame(facts, path, GN_CODE_DENIED, error->native, "connect", error);
    if (error->code != GN_CODE_REFUSED) return GN_FAILED;
    int result;
    GNP_RETRY(result, "unlinkat", unlinkat(listener->directory, listener->name, 0));
    return result == 0 || errno == ENOENT ? GN_DONE : gnp_blame(facts, path, gnp_code_of(errno), errno, "unlinkat", error);
}

/// Gives the bound socket its group and mode, and makes sure that it is the one in the checked directory.
static gn_outcome settle(gn_listener *listener, const gn_listen_options *options, gn_endpoint_facts *facts, gn_error *error) {
    struct stat status;
    gn_outcome found = look(listener, facts, &status, error);
    if (found == GN_FAILED) return GN_FAILED;
    if (found == GN_END || !S_ISSOCK(status.st_mode) || status.st_uid != geteuid()) {
        return gnp_blame(facts, options->path, GN_CODE_UNSAFE, 0, "fstatat", error);
    }
    listener->bound = true;
    listener->device = status.st_dev;
    listener->inode = status.st_ino;
    if (options->group >= 0 && status.st_gid != (gid_t)options->group &&
        fchownat(listener->directory, listener->name, (uid_t)-1, (gid_t)options->group, AT_SYMLINK_NOFOLLOW) != 0) {
        return gnp_fail_errno(error, "fchownat");
    }
    if (fchmodat(listener->directory, listener->name, (mode_t)options->socket_mode, 0) != 0) return gnp_fail_errno(error, "fchmodat");
    if (look(listener, facts, &status, error) != GN_DONE || status.st_ino != listener->inode || status.st_uid != geteuid() ||
        (status.st_mode & 07777) != options->socket_mode || (options->group >= 0 && status.st_gid != (gid_t)options->group)) {
        return gnp_blame(facts, options->path, GN_CODE_UNSAFE, 0, "fstatat", error);
    }
    return GN_DONE;
}

static gn_outcome bind_socket(gn_listener *listener, const char *path, gn_endpoint_facts *facts, gn_error *error) {
    listener->watch.descriptor = gnp_socket_open();
    if (listener->watch.descriptor < 0) return gnp_fail_errno(error, "socket");
    gnp_address address;
    if (gnp_address_open(path, &address, error) != GN_DONE) return GN_FAILED;
    int result;
    GNP_RETRY(result, "bind", bind(listener->watch.descriptor, (const struct sockaddr *)&address.name, address.length));
    int native = errno;
    gnp_address_close(&address);
    if (result == 0) return GN_DONE;
    if (gnp_code_of(native) == GN_CODE_DENIED) return gnp_blame(facts, path, GN_CODE_DENIED, native, "bind", error);
    return gnp_fail(error, gnp_code_of(native), native, "bind");
}

static int reserve_for(int descriptor) { return fcntl(descriptor, F_DUPFD_CLOEXEC, 0); }

static gn_outcome open_at(gn_listener *listener, const gn_listen_options *options, gn_endpoint_facts *facts, gn_error *error) {
    char directory[PATH_MAX], lock_path[PATH_MAX];
    if (!gnp_path_split(options->path, directory, listener->name) ||
        snprintf(lock_path, sizeof lock_path, "%s.lock", options->path) >= (int)sizeof lock_path ||
        strlen(listener->name) + strlen(".lock") > NAME_MAX) {
        return gnp_fail(error, strlen(options->path) < NAME_MAX ? GN_CODE_INVALID : GN_CODE_NAME_TOO_LONG, 0, "gn_listener_open");
    }
    memcpy(listener->lock_name, strrchr(lock_path, '/') + 1, strlen(listener->name) + sizeof ".lock");
    gn_outcome outcome = gnp_directory_open(directory, options, &listener->directory, facts, error);
    if (outcome == GN_DONE) outcome = gnp_lock_take(listener->directory, listener->lock_name, lock_path, &listener->lock, facts, error);
    if (outcome == GN_DONE) outcome = clear_stale(listener, options->path, facts, error);
    if (outcome == GN_DONE) outcome = bind_socket(listener, options->path, facts, error);
    if (outcome == GN_DONE) outcome = settle(listener, options, facts, error);
    if (outcome != GN_DONE) return outcome;
    int result;
    GNP_RETRY(result, "listen", listen(listener->watch.descriptor, options->backlog));
    if (result != 0) return gnp_fail_errno(error, "listen");
    listener->reserve = reserve_for(listener->watch.descriptor);
    return listener->reserve >= 0 ? GN_DONE : gnp_fail_errno(error, "fcntl");
}

static gn_listener *make(void) {
    gn_listener *listener = gnp_allocate(sizeof *listener);
    if (listener != NULL) listener->watch.descriptor = listener->reserve = listener->directory = listener->lock = -1;
    return listener;
}

gn_outcome gn_listener_open(const gn_listen_options *options, gn_listener **listener, gn_endpoint_facts *facts, gn_error *error) {
    memset(facts, 0, sizeof *facts);
    if (!valid(options)) return gnp_fail(error, GN_CODE_INVALID, 0, "gn_listener_open");
    gn_listener *made = make();
    if (made == NULL) return gnp_fail(error, GN_CODE_NO_MEMORY, ENOMEM, "calloc");
    gn_outcome outcome = open_at(made, options, facts, error);
    if (outcome == GN_DONE) *listener = made;
    else gn_listener_close(made);
    return outcome;
}

gn_outcome gn_listener_adopt(gn_handle handle, gn_listener **listener, gn_error *error) {
    if (gnp_adopt(handle, true, error) != GN_DONE) return GN_FAILED;
    gn_listener *made = make();
    if (made == NULL) return gnp_fail(error, GN_CODE_NO_MEMORY, ENOMEM, "calloc");
    made->reserve = reserve_for((int)handle);
    if (made->reserve < 0) {
        gnp_fail_errno(error, "fcntl");
        free(made);
        return GN_FAILED;
    }
    made->watch.descriptor = (int)handle;
    *listener = made;
    return GN_DONE;
}

void gn_listener_close(gn_listener *listener) {
    gnp_poller_forget(&listener->watch);
    struct stat status;
    if (listener->bound && fstatat(listener->directory, listener->name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
        status.st_dev == listener->device && status.st_ino == listener->inode) {
        (void)unlinkat(listener->directory, listener->name, 0);
    }
    gnp_close(listener->reserve);
    gnp_close(listener->watch.descriptor);
    if (listener->lock >= 0) gnp_lock_drop(listener->directory, listener->lock_name, listener->lock);
    gnp_close(listener->directory);
    free(listener);
}

#endif
