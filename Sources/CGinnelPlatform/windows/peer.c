// Who is at the other end.
//
// The user comes from the pipe, not from a process that could be gone: of a client it is the token it connected with, borrowed for a moment (clients that let us identify
// them and no more are enough for that), of a service the owner of the pipe. An ordinary user may not open a process of SYSTEM, and need not.
//
// The program is that of a process, which is held open while it is read (peer_process.c) and has to live before and after. Its path is the one it was started under: Windows
// lets a running program's file be renamed, and another one take its place, so path and digest say which program an honest peer is, and no more.
#include "win32.h"

#if defined(_WIN32)

#include <stdlib.h>
#include <string.h>

enum { LONGEST_PATH = 32768 };

// MARK: Users

/// The user of the client at the other end, and its session.
static uint32_t read_client(HANDLE pipe, gn_peer *peer) {
    HANDLE token;
    DWORD session, size;
    uint32_t known = 0;
    if (gnp_fails("ImpersonateNamedPipeClient") || !ImpersonateNamedPipeClient(pipe)) return 0;
    if (OpenThreadToken(GetCurrentThread(), TOKEN_QUERY, TRUE, &token)) {
        if (gnp_sid_of_token(token, peer->sid)) known |= GN_PEER_SID;
        if (GetTokenInformation(token, TokenSessionId, &session, sizeof session, &size)) {
            peer->session = session;
            known |= GN_PEER_SESSION;
        }
        gnp_close(token);
    }
    // To stay in another's clothes would be worse than to know nothing.
    if (!RevertToSelf() && !SetThreadToken(NULL, NULL)) return UINT32_MAX;
    return known;
}

// MARK: Programs

/// The path of a process's program, to be freed, or NULL.
static WCHAR *path_of(HANDLE process) {
    WCHAR *path = gnp_allocate(LONGEST_PATH * sizeof *path);
    DWORD length = LONGEST_PATH;
    if (path != NULL && QueryFullProcessImageNameW(process, 0, path, &length)) return path;
    free(path);
    return NULL;
}

static uint32_t read_program(HANDLE process, uint32_t wanted, gn_peer *peer) {
    WCHAR *path = path_of(process);
    uint32_t known = 0;
    if (path == NULL) return 0;
    if ((wanted & GN_PEER_EXECUTABLE) != 0 && gnp_narrow(path, peer->executable, sizeof peer->executable)) known |= GN_PEER_EXECUTABLE;
    if ((wanted & GN_PEER_DIGEST) != 0 && gnp_program_digest(path, peer->digest)) known |= GN_PEER_DIGEST;
    free(path);
    return known;
}

/// Reads the program of the process with this number; nothing when that is not the peer, or ends while it is read.
static void identify_program(gn_channel *channel, DWORD id, uint32_t wanted, gn_peer *peer) {
    HANDLE process;
    gn_error error;
    if (gnp_peer_process_open(channel, id, 0, &process, &error) != GN_DONE) return;
    uint32_t known = read_program(process, wanted, peer);
    if (!gnp_process_lives(process)) known = 0;
    gnp_close(process);
    if ((known & GN_PEER_EXECUTABLE) == 0) memset(peer->executable, 0, sizeof peer->executable);
    if ((known & GN_PEER_DIGEST) == 0) memset(peer->digest, 0, sizeof peer->digest);
    peer->known |= known;
}

// MARK: Both

gn_outcome gn_peer_identify(gn_channel *channel, uint32_t wanted, gn_peer *peer, gn_error *error) {
    memset(peer, 0, sizeof *peer);
    DWORD id;
    if (gnp_peer_process_id(channel, &id, error) != GN_DONE) return GN_FAILED;
    peer->known = GN_PEER_PROCESS;
    peer->process = (uint32_t)id;
    if (channel->server) {
        uint32_t known = read_client(channel->pipe, peer);
        if (known == UINT32_MAX) return gnp_fail(error, GN_CODE_OTHER, (int32_t)GetLastError(), "RevertToSelf");
        peer->known |= known;
    } else if (gnp_sid_of_owner(channel->pipe, peer->sid)) {
        peer->known |= GN_PEER_SID;
    }
    DWORD session;
    if ((peer->known & GN_PEER_SESSION) == 0 && ProcessIdToSessionId(id, &session)) {
        peer->session = session;
        peer->known |= GN_PEER_SESSION;
    }
    if ((wanted & (GN_PEER_EXECUTABLE | GN_PEER_DIGEST)) != 0) identify_program(channel, id, wanted, peer);
    return GN_DONE;
}

void gn_peer_self(gn_peer *self) {
    memset(self, 0, sizeof *self);
    self->known = GN_PEER_PROCESS;
    self->process = GetCurrentProcessId();
    DWORD session;
    if (gnp_sid_own(self->sid)) self->known |= GN_PEER_SID;
    if (ProcessIdToSessionId(self->process, &session)) {
        self->session = session;
        self->known |= GN_PEER_SESSION;
    }
    self->known |= read_program(GetCurrentProcess(), GN_PEER_EXECUTABLE, self);
}

#endif
