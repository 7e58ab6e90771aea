// Who is at the other end, on macOS.
//
// LOCAL_PEERCRED and LOCAL_PEERPID name user and process; LOCAL_PEERTOKEN gives an audit token, which holds the process id together
// with a version that changes when the id is used again or the process runs another program. The path is asked for with the
// token, so a reused id finds nothing. macOS has no door to the file of a running program, so the digest is that of the
// file at the path, and counts only when the process has the same path afterwards.
// Written from documented interfaces; has not been run.
#include "../posix/posix.h"

#if defined(__APPLE__)

#include <bsm/audit.h>
#include <libproc.h>
#include <string.h>
#include <sys/ucred.h>
#include <unistd.h>

#ifndef LOCAL_PEERTOKEN
#define LOCAL_PEERTOKEN 0x006
#endif

static bool read_option(int socket, int option, void *value, socklen_t size) {
    int result;
    GNP_RETRY(result, "getsockopt", getsockopt(socket, SOL_LOCAL, option, value, &size));
    return result == 0;
}

static bool read_executable(audit_token_t *token, char *path, size_t capacity) {
    int length = proc_pidpath_audittoken(token, path, (uint32_t)capacity);
    bool whole = length > 0 && (size_t)length < capacity;
    path[whole ? length : 0] = 0;
    return whole;
}

static void identify_program(int socket, uint32_t wanted, gn_peer *peer) {
    audit_token_t token;
    char before[PROC_PIDPATHINFO_MAXSIZE], after[PROC_PIDPATHINFO_MAXSIZE];
    if (!read_option(socket, LOCAL_PEERTOKEN, &token, sizeof token) || !read_executable(&token, before, sizeof before)) return;
    bool digested = (wanted & GN_PEER_DIGEST) != 0 && gnp_program_digest(before, peer->digest);
    bool same = read_executable(&token, after, sizeof after) && strcmp(before, after) == 0;
    if (digested && same) peer->known |= GN_PEER_DIGEST;
    else memset(peer->digest, 0, sizeof peer->digest);
    if (!same || (wanted & GN_PEER_EXECUTABLE) == 0) return;
    peer->known |= GN_PEER_EXECUTABLE;
    memcpy(peer->executable, before, strlen(before) + 1);
}

gn_outcome gn_peer_identify(gn_channel *channel, uint32_t wanted, gn_peer *peer, gn_error *error) {
    memset(peer, 0, sizeof *peer);
    int socket = channel->watch.descriptor;
    struct xucred credentials;
    if (!read_option(socket, LOCAL_PEERCRED, &credentials, sizeof credentials) || credentials.cr_version != XUCRED_VERSION) {
        return gnp_fail(error, errno == ENOPROTOOPT ? GN_CODE_UNSUPPORTED : GN_CODE_OTHER, errno, "getsockopt");
    }
    peer->known = GN_PEER_USER;
    peer->user = credentials.cr_uid;
    if (credentials.cr_ngroups > 0) {
        peer->known |= GN_PEER_GROUP;
        peer->group = credentials.cr_groups[0];
    }
    pid_t process = 0;
    if (!read_option(socket, LOCAL_PEERPID, &process, sizeof process) || process <= 0) return GN_DONE;
    peer->known |= GN_PEER_PROCESS;
    peer->process = (uint32_t)process;
    if ((wanted & (GN_PEER_EXECUTABLE | GN_PEER_DIGEST)) != 0) identify_program(socket, wanted, peer);
    return GN_DONE;
}

void gn_peer_self(gn_peer *self) {
    memset(self, 0, sizeof *self);
    self->known = GN_PEER_USER | GN_PEER_GROUP | GN_PEER_PROCESS;
    self->user = geteuid();
    self->group = getegid();
    self->process = (uint32_t)getpid();
    int length = proc_pidpath(getpid(), self->executable, sizeof self->executable);
    if (length > 0) self->known |= GN_PEER_EXECUTABLE;
}

#endif
