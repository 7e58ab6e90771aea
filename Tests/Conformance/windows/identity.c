// Identity: users, sessions, programs with long paths, and process ids that could mislead.
#include "windows_support.h"

#include <stdio.h>
#include <stdlib.h>
#include <wchar.h>

enum { EVERYTHING = GN_PEER_PROCESS | GN_PEER_EXECUTABLE | GN_PEER_DIGEST | GN_PEER_SID | GN_PEER_SESSION };

static void user_and_session(void) {
    struct ends ends;
    gn_peer self, peer;
    gn_error error;
    DWORD session;
    gn_peer_self(&self);
    EXPECT(ProcessIdToSessionId(GetCurrentProcessId(), &session) && self.session == session);
    EXPECT(strncmp(self.sid, "S-1-5-", 6) == 0);
    ends_connect(&ends);
    gn_channel *both[] = {ends.a, ends.b};
    for (size_t i = 0; i < 2; i++) {
        EXPECT(gn_peer_identify(both[i], GN_PEER_SID, &peer, &error) == GN_DONE);
        EXPECT((peer.known & (GN_PEER_SID | GN_PEER_SESSION | GN_PEER_PROCESS)) == (GN_PEER_SID | GN_PEER_SESSION | GN_PEER_PROCESS));
        EXPECT((peer.known & (GN_PEER_USER | GN_PEER_GROUP)) == 0 && peer.user == 0 && peer.group == 0);
        EXPECT(strcmp(peer.sid, self.sid) == 0 && peer.session == session);
    }
    ends_finish(&ends);
}

static void own_clothes_afterwards(void) {
    struct ends ends;
    gn_peer peer;
    gn_error error;
    HANDLE token;
    ends_connect(&ends);
    EXPECT(gn_peer_identify(ends.b, EVERYTHING, &peer, &error) == GN_DONE);
    EXPECT(!OpenThreadToken(GetCurrentThread(), TOKEN_QUERY, TRUE, &token) && GetLastError() == ERROR_NO_TOKEN);
    // When the client's user cannot be read, it is unknown and never that of somebody else.
    EXPECT(gn_fault_add("ImpersonateNamedPipeClient", 0, 1, ERROR_CANNOT_IMPERSONATE));
    EXPECT(gn_peer_identify(ends.b, EVERYTHING, &peer, &error) == GN_DONE && (peer.known & GN_PEER_SID) == 0 && peer.sid[0] == 0);
    EXPECT(gn_fault_add("GetTokenInformation", 0, 1, ERROR_ACCESS_DENIED));
    EXPECT(gn_peer_identify(ends.b, EVERYTHING, &peer, &error) == GN_DONE && (peer.known & GN_PEER_SID) == 0 && peer.sid[0] == 0);
    ends_finish(&ends);
}

static void identity_cannot_be_read(void) {
    struct ends ends;
    gn_peer peer;
    gn_error error;
    ends_connect(&ends);
    EXPECT(gn_fault_add("GetNamedPipeClientProcessId", 0, 1, ERROR_PIPE_LOCAL) && gn_fault_add("GetNamedPipeServerProcessId", 0, 1, ERROR_PIPE_LOCAL));
    EXPECT_CODE(gn_peer_identify(ends.b, EVERYTHING, &peer, &error), error, GN_CODE_OTHER);
    EXPECT_CODE(gn_peer_identify(ends.a, EVERYTHING, &peer, &error), error, GN_CODE_OTHER);
    EXPECT(peer.known == 0);
    ends_finish(&ends);
}

// MARK: Programs

enum { LONG_NAME = 100, LEVELS = 4, ROOM = 2048 };

/// A copy of this program below so many directories whose names have 100 characters, some of them outside ASCII.
static void copy_program(WCHAR path[ROOM], WCHAR directories[LEVELS][ROOM], size_t levels) {
    WCHAR temporary[MAX_PATH], own[ROOM];
    DWORD length = ROOM;
    uint32_t number;
    gn_error error;
    EXPECT(gn_random(&number, sizeof number, &error) == GN_DONE && GetTempPathW(MAX_PATH, temporary) > 0 && QueryFullProcessImageNameW(GetCurrentProcess(), 0, own, &length));
    (void)swprintf(path, ROOM, L"\\\\?\\%lsginnel-%08x-", temporary, number);
    for (size_t i = 0; i < levels; i++) {
        size_t end = wcslen(path);
        for (size_t j = 0; j < LONG_NAME; j++) path[end + j] = j % 10 == 0 ? 0xfc : L'a';
        path[end + LONG_NAME] = 0;
        memcpy(directories[i], path, ROOM * sizeof *path);
        EXPECT(CreateDirectoryW(path, NULL));
        wcscat(path, L"\\");
    }
    wcscat(path, L"conformance.exe");
    EXPECT(CopyFileW(own, path, TRUE));
}

/// A program below so many long directories, as a peer.
static void program_below(size_t levels) {
    static WCHAR path[ROOM], directories[LEVELS][ROOM];
    char narrow[4 * ROOM], bytes[5];
    struct ends ends;
    gn_peer self, peer;
    gn_process *child;
    gn_error error;
    copy_program(path, directories, levels);
    EXPECT(WideCharToMultiByte(CP_UTF8, 0, path, -1, narrow, sizeof narrow, NULL, NULL) > 0);
    ends_listen(&ends, 16);
    const char *const arguments[] = {"conformance", "--child", "connect", ends.path, NULL};
    EXPECT(gn_process_start(narrow, arguments, NULL, NULL, 0, GN_NO_HANDLE, &child, &error) == GN_DONE);
    ends.b = ends_accept(&ends);
    EXPECT(gn_poller_add_channel(ends.poller, ends.b, TOKEN_B, &error) == GN_DONE);
    ends_read_exactly(&ends, TOKEN_B, bytes, 5);
    EXPECT(gn_peer_identify(ends.b, EVERYTHING, &peer, &error) == GN_DONE);
    EXPECT((peer.known & GN_PEER_EXECUTABLE) != 0 && strlen(peer.executable) > levels * LONG_NAME);
    // Without the prefix that only the file system's functions want, or with it.
    const char *plain = narrow + 4;
    EXPECT(strcmp(peer.executable, plain) == 0 || strcmp(peer.executable, narrow) == 0);
    gn_peer_self(&self);
    EXPECT(strcmp(peer.executable, self.executable) != 0 && (peer.known & GN_PEER_DIGEST) != 0);
    gn_channel_close(ends.b, 0);
    ends.b = NULL;
    EXPECT(child_finish(child) == 0);
    ends_finish(&ends);
    EXPECT(DeleteFileW(path));
    for (size_t i = levels; i > 0; i--) EXPECT(RemoveDirectoryW(directories[i - 1]));
}

static void long_path(void) { program_below(LEVELS); }

static void path_in_any_alphabet(void) { program_below(1); }

static void connection_given_away(void) {
    struct ends ends;
    gn_peer peer;
    gn_error error;
    char bytes[5];
    ends_listen(&ends, 16);
    // The child connects, leaves the connection to a child of its own, and ends.
    gn_process *child = child_start((const char *const[]){"give-away", ends.path, NULL}, NULL, 0, GN_NO_HANDLE);
    ends.b = ends_accept(&ends);
    EXPECT(gn_poller_add_channel(ends.poller, ends.b, TOKEN_B, &error) == GN_DONE);
    ends_read_exactly(&ends, TOKEN_B, bytes, 5);
    uint32_t id = gn_process_id(child);
    EXPECT(child_finish(child) == 0);
    EXPECT(gn_peer_identify(ends.b, EVERYTHING, &peer, &error) == GN_DONE);
    EXPECT(peer.process == id && (peer.known & (GN_PEER_EXECUTABLE | GN_PEER_DIGEST)) == 0 && peer.executable[0] == 0);
    // The connection lives, and its user is still known.
    EXPECT((peer.known & GN_PEER_SID) != 0);
    ends_write(&ends, TOKEN_B, "x", 1);
    ends_read_exactly(&ends, TOKEN_B, bytes, 1);
    ends_finish(&ends);
}

static void a_number_that_is_no_longer_his(void) {
    // The name of the step, and how often it goes well before: the process is looked at twice, so that it may not end while its program is read.
    static const struct {
        const char *step;
        uint32_t skip;
    } faults[] = {{"OpenProcess", 0}, {"GetProcessTimes", 0}, {"WaitForSingleObject", 0}, {"WaitForSingleObject", 1}};
    struct ends ends;
    gn_peer peer;
    gn_error error;
    ends_connect(&ends);
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        EXPECT(gn_fault_add(faults[i].step, faults[i].skip, 1, ERROR_ACCESS_DENIED));
        EXPECT(gn_peer_identify(ends.b, EVERYTHING, &peer, &error) == GN_DONE && (peer.known & GN_PEER_PROCESS) != 0);
        EXPECT((peer.known & (GN_PEER_EXECUTABLE | GN_PEER_DIGEST)) == 0 && peer.executable[0] == 0);
        for (size_t j = 0; j < sizeof peer.digest; j++) EXPECT(peer.digest[j] == 0);
        EXPECT(gn_peer_identify(ends.b, EVERYTHING, &peer, &error) == GN_DONE && (peer.known & EVERYTHING) == EVERYTHING);
    }
    ends_finish(&ends);
}

static void held_while_ended(void) {
    struct ends ends;
    gn_peer peer;
    gn_error error;
    char bytes[5];
    int32_t status;
    ends_listen(&ends, 16);
    gn_process *child = child_start((const char *const[]){"give-away", ends.path, NULL}, NULL, 0, GN_NO_HANDLE);
    ends.b = ends_accept(&ends);
    EXPECT(gn_poller_add_channel(ends.poller, ends.b, TOKEN_B, &error) == GN_DONE);
    ends_read_exactly(&ends, TOKEN_B, bytes, 5);
    while (gn_process_status(child, &status, &error) == GN_WOULD_BLOCK) {}
    // Somebody holds the process, so that its number still opens it; and it has ended all the same.
    HANDLE still = OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, FALSE, gn_process_id(child));
    EXPECT(still != NULL && CloseHandle(still));
    EXPECT(gn_peer_identify(ends.b, EVERYTHING, &peer, &error) == GN_DONE && peer.process == gn_process_id(child));
    EXPECT((peer.known & (GN_PEER_EXECUTABLE | GN_PEER_DIGEST)) == 0 && peer.executable[0] == 0);
    gn_process_forget(child);
    ends_finish(&ends);
}

void suite_identity(void) {
    check("both ends know the other's user and session", user_and_session);
    check("identifying a client leaves nothing of it on the thread", own_clothes_afterwards);
    check("a peer whose process cannot be asked for is no peer", identity_cannot_be_read);
    check("a program is known by its whole path, however long it is", long_path);
    check("a program's path is UTF-8, whatever is in it", path_in_any_alphabet);
    check("a peer that has given its connection away and ended has no program", connection_given_away);
    check("a peer that has ended has no program, even while its number still leads to it", held_while_ended);
    check("a program is told only of a process that lived before and after and is older than the connection", a_number_that_is_no_longer_his);
}
