// What is asked of the system, call by call, whatever the system then makes of it.
#include "witness.h"

#include <stdio.h>

enum { CLIENT = 0x12019B };

/// Takes so many clients, one after the other, so that their places are filled again.
static void take_clients(struct ends *ends, int count) {
    gn_error error;
    for (int turn = 0; turn < count; turn++) {
        EXPECT(gn_channel_connect(ends->path, &ends->a, &error) == GN_DONE);
        ends->b = ends_accept(ends);
        gn_channel_abort(ends->a);
        gn_channel_abort(ends->b);
        ends->a = ends->b = NULL;
    }
}

static void first_and_only_first(void) {
    struct ends ends;
    const witnessed_pipe *pipes;
    witness_begin();
    ends_listen(&ends, 3);
    take_clients(&ends, 4);
    size_t count = witness_pipes(&pipes);
    // Three places, and each that was taken is filled again.
    EXPECT(count >= 3 + 4);
    for (size_t i = 0; i < count; i++) EXPECT(((pipes[i].open_mode & FILE_FLAG_FIRST_PIPE_INSTANCE) != 0) == (i == 0));
    ends_finish(&ends);
    // A pair is the only one of its name.
    witness_begin();
    ends_pair(&ends);
    EXPECT(witness_pipes(&pipes) == 1 && (pipes[0].open_mode & FILE_FLAG_FIRST_PIPE_INSTANCE) != 0);
    ends_finish(&ends);
}

static void every_instance(void) {
    const DWORD kinds = PIPE_TYPE_MESSAGE | PIPE_READMODE_MESSAGE | PIPE_NOWAIT;
    struct ends ends;
    const witnessed_pipe *pipes;
    witness_begin();
    ends_listen(&ends, 3);
    take_clients(&ends, 4);
    ends_finish(&ends);
    ends_pair(&ends);
    size_t count = witness_pipes(&pipes);
    EXPECT(count >= 3 + 4 + 1);
    for (size_t i = 0; i < count; i++) {
        EXPECT((pipes[i].pipe_mode & PIPE_REJECT_REMOTE_CLIENTS) != 0 && (pipes[i].pipe_mode & kinds) == 0);
        EXPECT((pipes[i].open_mode & PIPE_ACCESS_DUPLEX) == PIPE_ACCESS_DUPLEX && (pipes[i].open_mode & FILE_FLAG_OVERLAPPED) != 0);
        EXPECT(pipes[i].has_descriptor && !pipes[i].is_inheritable);
    }
    ends_finish(&ends);
}

static void what_clients_ask_for(void) {
    struct ends ends;
    WCHAR name[512];
    const witnessed_open *opens;
    size_t pipes = 0;
    ends_listen(&ends, 2);
    wide_name(ends.path, name);
    witness_begin();
    take_clients(&ends, 1);
    gn_endpoint_facts facts;
    gn_endpoint_inspect(ends.path, &facts);
    size_t count = witness_opens(&opens);
    for (size_t i = 0; i < count; i++) {
        if (wcscmp(opens[i].name, name) != 0) continue;
        pipes++;
        // Not generic rights: they contain the right to make an instance, which a stranger has not.
        EXPECT(opens[i].access == CLIENT && (opens[i].access & FILE_CREATE_PIPE_INSTANCE) == 0);
        EXPECT((opens[i].flags & (SECURITY_SQOS_PRESENT | SECURITY_VALID_SQOS_FLAGS)) == (SECURITY_SQOS_PRESENT | SECURITY_IDENTIFICATION));
        EXPECT((opens[i].flags & FILE_FLAG_OVERLAPPED) != 0 && opens[i].share == 0);
    }
    EXPECT(pipes == 2);
    ends_finish(&ends);
}

static void waiting_takes_no_memory(void) {
    struct ends ends;
    char bytes[16] = "untouched";
    size_t count;
    bool drained, pending;
    gn_error error;
    ends_pair(&ends);
    EXPECT(gn_channel_read(ends.b, bytes, sizeof bytes, &count, &drained, &error) == GN_WOULD_BLOCK);
    EXPECT(witness_last_read(&pending) == 0 && pending);
    ends_write(&ends, TOKEN_A, "something", 9);
    ends_await(&ends, TOKEN_B, GN_EVENT_READABLE);
    EXPECT(strcmp(bytes, "untouched") == 0);
    ends_read_exactly(&ends, TOKEN_B, bytes, 9);
    EXPECT(strcmp(bytes, "something") == 0);
    ends_finish(&ends);
}

static void id_of_a_later_process(void) {
    const uint32_t wanted = GN_PEER_EXECUTABLE | GN_PEER_DIGEST;
    struct ends ends;
    struct partner later;
    gn_peer peer;
    gn_error error;
    ends_connect(&ends);
    partner_start(&later, (const char *const[]){"stay", NULL});
    partner_await(&later);
    witness_client(gn_process_id(later.process));
    gn_outcome outcome = gn_peer_identify(ends.b, wanted, &peer, &error);
    witness_client(0);
    EXPECT(outcome == GN_DONE && peer.process == gn_process_id(later.process));
    EXPECT((peer.known & wanted) == 0 && peer.executable[0] == 0);
    // The same question about the true client has an answer.
    EXPECT(gn_peer_identify(ends.b, wanted, &peer, &error) == GN_DONE && (peer.known & wanted) == wanted);
    EXPECT(partner_finish(&later) == 0);
    ends_finish(&ends);
}

void suite_asked(void) {
    check("the first instance of a name is made as the first, and no other is", first_and_only_first);
    check("every instance is a stream of bytes, overlapped, with a descriptor, closed to other machines and not inherited", every_instance);
    check("a client asks for mask 0x12019B and to be identified, no more", what_clients_ask_for);
    check("a channel that waits for bytes has left a read of none with the system", waiting_takes_no_memory);
    check("a process that began after the connection is not its peer, whatever its id", id_of_a_later_process);
}
