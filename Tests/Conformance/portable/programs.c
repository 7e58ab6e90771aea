// Programs that are started and seen: arguments, channels by number, how they end, and which program a peer is.
#include "check.h"
#include "support.h"

#include <stdio.h>

enum { PROGRAM = GN_PEER_EXECUTABLE | GN_PEER_DIGEST };

// MARK: What a child is given

static void arguments_arrive(void) {
    const char *arguments[ODD_ARGUMENTS + 4] = {"conformance", "--child", "arguments"};
    for (size_t i = 0; i < ODD_ARGUMENTS; i++) arguments[3 + i] = odd_arguments[i];
    gn_peer self;
    gn_process *process;
    gn_error error;
    gn_peer_self(&self);
    EXPECT(gn_process_start(self.executable, arguments, NULL, NULL, 0, GN_NO_HANDLE, &process, &error) == GN_DONE);
    EXPECT(child_finish(process) == 0);
}

static void channels_by_number(void) {
    struct ends ends[3];
    gn_handle handles[3];
    for (size_t i = 0; i < 3; i++) {
        ends_pair(&ends[i]);
        handles[i] = gn_channel_release(ends[i].b);
        ends[i].b = NULL;
    }
    // The worst order for descriptors: each may have the number that another one is to get.
    const gn_handle crossed[3] = {handles[2], handles[0], handles[1]};
    const char numbers[3] = {'4', '5', '3'};
    gn_process *child = child_start((const char *const[]){"answer-by-number", NULL}, crossed, 3, GN_NO_HANDLE);
    for (size_t i = 0; i < 3; i++) gn_handle_close(handles[i]);
    for (size_t i = 0; i < 3; i++) ends_write(&ends[i], TOKEN_A, "a", 1);
    for (size_t i = 0; i < 3; i++) {
        char answer[2];
        ends_read_exactly(&ends[i], TOKEN_A, answer, 2);
        EXPECT(answer[0] == 'b' && answer[1] == numbers[i]);
    }
    EXPECT(child_finish(child) == 0);
    for (size_t i = 0; i < 3; i++) {
        // Nobody holds the other end any more.
        EXPECT(ends_read_to_end(&ends[i], TOKEN_A) == 0);
        ends_finish(&ends[i]);
    }
}

// MARK: How it ends

static void ways_to_end(void) {
    for (int at_once = 0; at_once < 2; at_once++) {
        struct partner partner;
        partner_start(&partner, (const char *const[]){"stay", NULL});
        partner_await(&partner);
        gn_process_end(partner.process, at_once != 0);
        EXPECT(child_finish(partner.process) == 256 + (at_once != 0 ? 9 : 15));
        ends_finish(&partner.ends);
    }
}

static void not_a_program(void) {
    gn_process *process;
    gn_error error;
    char root[512], path[600];
    const char *const arguments[] = {"x", NULL};
    support_directory(root);
    (void)snprintf(path, sizeof path, "%stext", root);
    support_write_file(path, "not a program");
    EXPECT_CODE(gn_process_start(path, arguments, NULL, NULL, 0, GN_NO_HANDLE, &process, &error), error, GN_CODE_DENIED);
    support_directory_remove(root);
}

static void directory_as_program(void) {
    gn_process *process;
    gn_error error;
    char root[512], path[600];
    const char *const arguments[] = {"x", NULL};
    support_directory(root);
    (void)snprintf(path, sizeof path, "%sdirectory", root);
    EXPECT(gn_directory_prepare(path, &error) == GN_DONE);
    EXPECT_CODE(gn_process_start(path, arguments, NULL, NULL, 0, GN_NO_HANDLE, &process, &error), error, GN_CODE_DENIED);
    support_directory_remove(root);
}

// MARK: Which program it is

/// A partner that runs a copy of this program, connected to a listener, and what is known of it.
static void identify_copy(uint64_t size, char path[600], gn_peer *peer) {
    struct ends ends;
    struct partner partner;
    gn_error error;
    char root[512];
    support_directory(root);
    (void)snprintf(path, 600, "%sanother.exe", root);
    support_copy_program(path, size);
    ends_listen(&ends, 16);
    partner_start_program(&partner, path, (const char *const[]){"connect-quietly", ends.path, NULL});
    partner_await(&partner);
    ends_accept_b(&ends);
    EXPECT(gn_peer_identify(ends.b, PROGRAM, peer, &error) == GN_DONE);
    EXPECT(peer->process == gn_process_id(partner.process));
    EXPECT(partner_finish(&partner) == 0);
    ends_finish(&ends);
    support_directory_remove(root);
}

static void another_program(void) {
    struct ends ends;
    gn_peer self, peer;
    gn_error error;
    char path[600];
    identify_copy(0, path, &peer);
    EXPECT((peer.known & PROGRAM) == PROGRAM && strcmp(peer.executable, path) == 0);
    ends_connect(&ends);
    EXPECT(gn_peer_identify(ends.a, PROGRAM, &self, &error) == GN_DONE && (self.known & PROGRAM) == PROGRAM);
    EXPECT(strcmp(self.executable, path) != 0 && memcmp(self.digest, peer.digest, sizeof peer.digest) != 0);
    ends_finish(&ends);
}

static void enormous_program(void) {
    gn_peer peer;
    char path[600];
    identify_copy((uint64_t)GN_DIGEST_LIMIT + 1, path, &peer);
    EXPECT((peer.known & PROGRAM) == GN_PEER_EXECUTABLE && strcmp(peer.executable, path) == 0);
}

static void ended_and_not_forgotten(void) {
    struct ends ends;
    struct partner partner;
    gn_peer peer;
    gn_error error;
    int32_t status;
    ends_listen(&ends, 16);
    partner_start(&partner, (const char *const[]){"connect-quietly", ends.path, NULL});
    partner_await(&partner);
    ends_accept_b(&ends);
    gn_process_end(partner.process, true);
    while (gn_process_status(partner.process, &status, &error) == GN_WOULD_BLOCK) {}
    EXPECT(gn_peer_identify(ends.b, PROGRAM, &peer, &error) == GN_DONE);
    EXPECT(peer.process == gn_process_id(partner.process) && (peer.known & PROGRAM) == 0 && peer.executable[0] == 0);
    (void)partner_finish(&partner);
    ends_finish(&ends);
}

void suite_programs(void) {
    check("arguments arrive as they were given, whatever is in them", arguments_arrive);
    check("inherited channels get their numbers, also when those cross, and there are no more", channels_by_number);
    check("the status of a child says whether it was asked to end or ended at once", ways_to_end);
    check("a file that is no program is denied", not_a_program);
    check("a directory is no program, and is denied", directory_as_program);
    check("another program has another path and digest", another_program);
    check("a program over the limit has a path and no digest", enormous_program);
    check("a process that has ended has no program, even before it is forgotten", ended_and_not_forgotten);
}
