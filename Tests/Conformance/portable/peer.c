// Peer identity: who is at the other end of a channel.
#include "check.h"
#include "support.h"

#include <stdio.h>
#include <stdlib.h>

enum { EVERYTHING = GN_PEER_USER | GN_PEER_GROUP | GN_PEER_PROCESS | GN_PEER_EXECUTABLE | GN_PEER_DIGEST | GN_PEER_SID | GN_PEER_SESSION };

static void self(void) {
    gn_peer self;
    gn_peer_self(&self);
    EXPECT((self.known & (GN_PEER_PROCESS | GN_PEER_EXECUTABLE)) == (GN_PEER_PROCESS | GN_PEER_EXECUTABLE));
    EXPECT((self.known & (GN_PEER_USER | GN_PEER_SID)) != 0);
    EXPECT(self.process != 0 && strstr(self.executable, "conformance") != NULL);
}

static bool same_user(const gn_peer *first, const gn_peer *second) {
    return first->user == second->user && strcmp(first->sid, second->sid) == 0;
}

static void own_process(void) {
    struct ends ends;
    gn_peer self, peer;
    gn_error error;
    gn_peer_self(&self);
    ends_connect(&ends);
    gn_channel *both[] = {ends.a, ends.b};
    for (size_t i = 0; i < 2; i++) {
        EXPECT(gn_peer_identify(both[i], EVERYTHING, &peer, &error) == GN_DONE);
        EXPECT((peer.known & GN_PEER_PROCESS) != 0 && peer.process == self.process);
        EXPECT((peer.known & GN_PEER_EXECUTABLE) != 0 && strcmp(peer.executable, self.executable) == 0);
        EXPECT(same_user(&peer, &self));
    }
    ends_finish(&ends);
}

static void only_what_is_wanted(void) {
    struct ends ends;
    gn_peer peer;
    gn_error error;
    ends_connect(&ends);
    EXPECT(gn_peer_identify(ends.b, GN_PEER_PROCESS, &peer, &error) == GN_DONE);
    EXPECT((peer.known & (GN_PEER_EXECUTABLE | GN_PEER_DIGEST)) == 0 && peer.executable[0] == 0);
    ends_finish(&ends);
}

static void digest_of_the_program(void) {
    struct ends ends;
    gn_peer peer;
    gn_error error;
    gn_peer_self(&peer);
    FILE *file = fopen(peer.executable, "rb");
    EXPECT(file != NULL);
    size_t room = 64 << 20;
    char *bytes = malloc(room);
    EXPECT(bytes != NULL);
    size_t count = fread(bytes, 1, room, file);
    (void)fclose(file);
    uint8_t digest[32];
    gn_sha256(bytes, count, digest);
    free(bytes);
    ends_connect(&ends);
    EXPECT(gn_peer_identify(ends.b, EVERYTHING, &peer, &error) == GN_DONE);
    EXPECT((peer.known & GN_PEER_DIGEST) != 0 && memcmp(peer.digest, digest, sizeof digest) == 0);
    ends_finish(&ends);
}

static gn_process *accept_child(struct ends *ends) {
    char bytes[5];
    gn_error error;
    ends_listen(ends, 16);
    gn_process *child = child_start((const char *const[]){"connect", ends->path, NULL}, NULL, 0, GN_NO_HANDLE);
    ends->b = ends_accept(ends);
    EXPECT(gn_poller_add_channel(ends->poller, ends->b, TOKEN_B, &error) == GN_DONE);
    ends_read_exactly(ends, TOKEN_B, bytes, 5);
    return child;
}

static void another_process(void) {
    struct ends ends;
    gn_peer self, peer;
    gn_error error;
    gn_process *child = accept_child(&ends);
    gn_peer_self(&self);
    EXPECT(gn_peer_identify(ends.b, EVERYTHING, &peer, &error) == GN_DONE);
    EXPECT(peer.process == gn_process_id(child) && peer.process != self.process);
    EXPECT(same_user(&peer, &self) && strcmp(peer.executable, self.executable) == 0);
    gn_channel_close(ends.b, 0);
    ends.b = NULL;
    EXPECT(child_finish(child) == 0);
    ends_finish(&ends);
}

static void a_dead_process(void) {
    struct ends ends;
    gn_peer peer;
    gn_error error;
    gn_process *child = accept_child(&ends);
    gn_process_end(child, true);
    EXPECT(child_finish(child) != 0);
    gn_outcome outcome = gn_peer_identify(ends.b, EVERYTHING, &peer, &error);
    EXPECT(outcome == GN_DONE || outcome == GN_FAILED);
    if (outcome == GN_DONE) EXPECT((peer.known & (GN_PEER_EXECUTABLE | GN_PEER_DIGEST)) == 0 && peer.executable[0] == 0);
    ends_finish(&ends);
}

void suite_peer(void) {
    check("a process knows its own user, id and program", self);
    check("a peer in this process is this process, seen from both ends", own_process);
    check("a program is not looked up when nobody asks for it", only_what_is_wanted);
    check("a peer's digest is the one of its program's file", digest_of_the_program);
    check("a peer in another process has that process's id and program", another_process);
    check("a peer whose process has ended has no program any more", a_dead_process);
}
