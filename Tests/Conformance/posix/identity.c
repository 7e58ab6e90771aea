// Peer identity with other users, other programs, and processes that are gone.
#include "posix_support.h"

#if defined(__linux__)
#include <linux/sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#endif

enum { PROGRAM = GN_PEER_EXECUTABLE | GN_PEER_DIGEST };

static void user_and_group(void) {
    struct ends ends;
    gn_peer peer;
    gn_error error;
    ends_pair(&ends);
    EXPECT(gn_peer_identify(ends.a, 0, &peer, &error) == GN_DONE);
    EXPECT(peer.known == (GN_PEER_USER | GN_PEER_GROUP | GN_PEER_PROCESS));
    EXPECT(peer.user == geteuid() && peer.group == getegid() && peer.process == (uint32_t)getpid());
    ends_finish(&ends);
}

static void another_user(void) {
    needs_root();
    struct place place;
    struct partner partner;
    char user[16];
    gn_channel *channel;
    gn_peer peer;
    gn_error error;
    place_make(&place);
    EXPECT(chmod(place.root, 0755) == 0);
    place.options.directory_mode = 0755;
    place.options.socket_mode = 0666;
    gn_listener *listener = open_listener(&place);
    (void)snprintf(user, sizeof user, "%d", STRANGER);
    partner_start(&partner, (const char *const[]){"connect-as", user, place.socket, NULL});
    partner_await(&partner);
    EXPECT(gn_listener_accept(listener, &channel, &error) == GN_DONE);
    EXPECT(gn_peer_identify(channel, 0, &peer, &error) == GN_DONE);
    EXPECT(peer.user == STRANGER && peer.group == STRANGER && peer.process == gn_process_id(partner.process));
    gn_channel_abort(channel);
    EXPECT(partner_finish(&partner) == 0);
    gn_listener_close(listener);
    place_remove(&place);
}

#if defined(__linux__)
static void replaced_program(void) {
    struct place place;
    struct partner partner;
    char program[192], deleted[224];
    gn_channel *channel;
    gn_peer peer;
    gn_error error;
    uint8_t digest[32];
    place_make(&place);
    (void)snprintf(program, sizeof program, "%s/another", place.root);
    support_copy_program(program, 0);
    gn_listener *listener = open_listener(&place);
    partner_start_program(&partner, program, (const char *const[]){"connect-quietly", place.socket, NULL});
    partner_await(&partner);
    EXPECT(gn_listener_accept(listener, &channel, &error) == GN_DONE);
    EXPECT(gn_peer_identify(channel, PROGRAM, &peer, &error) == GN_DONE && (peer.known & PROGRAM) == PROGRAM);
    memcpy(digest, peer.digest, sizeof digest);
    EXPECT(unlink(program) == 0);
    write_file(program, "an innocent file in its place");
    EXPECT(gn_peer_identify(channel, PROGRAM, &peer, &error) == GN_DONE);
    (void)snprintf(deleted, sizeof deleted, "%s (deleted)", program);
    EXPECT(strcmp(peer.executable, deleted) == 0 && memcmp(peer.digest, digest, sizeof digest) == 0);
    gn_channel_abort(channel);
    EXPECT(partner_finish(&partner) == 0);
    gn_listener_close(listener);
    place_remove(&place);
}

/// A child that has connected to a listener, and our end of that.
static gn_channel *accept_partner(struct place *place, struct partner *partner, gn_listener **listener) {
    gn_channel *channel;
    gn_error error;
    place_make(place);
    *listener = open_listener(place);
    partner_start(partner, (const char *const[]){"connect-quietly", place->socket, NULL});
    partner_await(partner);
    EXPECT(gn_listener_accept(*listener, &channel, &error) == GN_DONE);
    return channel;
}

/// Starts a process with exactly this id, which does nothing. False when the kernel does not let us.
static bool start_with_id(pid_t id) {
    struct clone_args arguments = {.exit_signal = SIGCHLD, .set_tid = (uintptr_t)&id, .set_tid_size = 1};
    long child = syscall(SYS_clone3, &arguments, sizeof arguments);
    while (child == 0) (void)pause();
    return child == id;
}

static void id_used_again(void) {
    struct place place;
    struct partner partner;
    gn_listener *listener;
    gn_peer peer;
    gn_error error;
    gn_channel *channel = accept_partner(&place, &partner, &listener);
    pid_t id = (pid_t)gn_process_id(partner.process);
    EXPECT(partner_finish(&partner) == 0);
    bool started = start_with_id(id);
    if (started) {
        // Somebody else has the number now, and a program that could be read.
        char link[64], target[4096];
        (void)snprintf(link, sizeof link, "/proc/%d/exe", id);
        bool readable = readlink(link, target, sizeof target) > 0;
        gn_outcome outcome = gn_peer_identify(channel, PROGRAM, &peer, &error);
        EXPECT(gn_fault_add("getsockopt", 1, 1, ENOPROTOOPT));
        uint32_t known = peer.known;
        gn_outcome older = gn_peer_identify(channel, PROGRAM, &peer, &error);
        EXPECT(kill(id, SIGKILL) == 0 && waitpid(id, NULL, 0) == id);
        EXPECT(readable && outcome == GN_DONE && older == GN_DONE);
        EXPECT((known & PROGRAM) == 0 && (peer.known & PROGRAM) == 0);
    }
    gn_channel_abort(channel);
    gn_listener_close(listener);
    place_remove(&place);
    if (!started) check_skip("it takes the right to choose a process id");
}

static void kernel_without_peer_pidfd(void) {
    struct place place;
    struct partner partner;
    gn_listener *listener;
    gn_peer self, peer;
    gn_error error;
    gn_channel *channel = accept_partner(&place, &partner, &listener);
    gn_peer_self(&self);
    EXPECT(gn_fault_add("getsockopt", 1, 1, ENOPROTOOPT));
    EXPECT(gn_peer_identify(channel, PROGRAM, &peer, &error) == GN_DONE);
    EXPECT((peer.known & PROGRAM) == PROGRAM && strcmp(peer.executable, self.executable) == 0);
    // Neither way.
    EXPECT(gn_fault_add("getsockopt", 1, 1, ENOPROTOOPT) && gn_fault_add("pidfd_open", 0, 1, ENOSYS));
    EXPECT(gn_peer_identify(channel, PROGRAM, &peer, &error) == GN_DONE);
    EXPECT((peer.known & PROGRAM) == 0 && (peer.known & GN_PEER_PROCESS) != 0);
    // The connection has ended, so the number may stand for anybody.
    uint32_t process = gn_process_id(partner.process);
    EXPECT(partner_finish(&partner) == 0);
    EXPECT(gn_fault_add("getsockopt", 1, 1, ENOPROTOOPT));
    EXPECT(gn_peer_identify(channel, PROGRAM, &peer, &error) == GN_DONE);
    EXPECT(peer.process == process && (peer.known & PROGRAM) == 0);
    gn_channel_abort(channel);
    gn_listener_close(listener);
    place_remove(&place);
}

/// Where the program's bytes lie says nothing of where its name leads us.
static void disguised_by_a_mount(void) {
    struct place place;
    struct partner partner;
    char impostor[192], byte;
    size_t count;
    gn_channel *channel;
    gn_peer self, peer;
    gn_error error;
    place_make(&place);
    (void)snprintf(impostor, sizeof impostor, "%s/impostor", place.root);
    support_copy_program(impostor, 0);
    gn_peer_self(&self);
    gn_listener *listener = open_listener(&place);
    partner_start(&partner, (const char *const[]){"disguised", impostor, self.executable, place.socket, NULL});
    bool disguised = ends_read(&partner.ends, TOKEN_A, &byte, 1, &count, &error) == GN_DONE;
    if (disguised) {
        EXPECT(gn_listener_accept(listener, &channel, &error) == GN_DONE);
        EXPECT(gn_peer_identify(channel, PROGRAM, &peer, &error) == GN_DONE);
        EXPECT((peer.known & PROGRAM) == GN_PEER_DIGEST && peer.executable[0] == 0);
        uint8_t digest[32];
        memcpy(digest, peer.digest, sizeof digest);
        gn_channel *own[2];
        EXPECT(gn_channel_pair(&own[0], &own[1], &error) == GN_DONE);
        EXPECT(gn_peer_identify(own[0], PROGRAM, &peer, &error) == GN_DONE && (peer.known & PROGRAM) == PROGRAM);
        EXPECT(memcmp(digest, peer.digest, sizeof digest) != 0);
        for (int i = 0; i < 2; i++) gn_channel_abort(own[i]);
        gn_channel_abort(channel);
        EXPECT(partner_finish(&partner) == 0);
    } else {
        EXPECT(partner_finish(&partner) == NOT_ALLOWED);
    }
    gn_listener_close(listener);
    place_remove(&place);
    if (!disguised) check_skip("it takes a mount namespace");
}

static void unreadable_program(void) {
    struct ends ends;
    gn_peer peer;
    gn_error error;
    ends_pair(&ends);
    EXPECT(gn_fault_add("openat", 0, 1, EACCES));
    EXPECT(gn_peer_identify(ends.a, PROGRAM, &peer, &error) == GN_DONE);
    EXPECT((peer.known & PROGRAM) == 0 && peer.executable[0] == 0);
    EXPECT(gn_fault_add("readlink", 0, 1, EACCES) && gn_fault_add("openat", 1, 1, EACCES));
    EXPECT(gn_peer_identify(ends.a, PROGRAM, &peer, &error) == GN_DONE);
    EXPECT((peer.known & PROGRAM) == 0 && peer.executable[0] == 0);
    EXPECT(gn_fault_add("read", 1, 1, EIO));
    EXPECT(gn_peer_identify(ends.a, PROGRAM, &peer, &error) == GN_DONE);
    static const uint8_t nothing[32];
    EXPECT((peer.known & PROGRAM) == GN_PEER_EXECUTABLE && memcmp(peer.digest, nothing, sizeof nothing) == 0);
    ends_finish(&ends);
}
#endif

static void kernel_says_no(void) {
    struct ends ends;
    gn_peer peer;
    gn_error error;
    ends_pair(&ends);
    EXPECT(gn_fault_add("getsockopt", 0, 1, ENOPROTOOPT));
    EXPECT_CODE(gn_peer_identify(ends.a, PROGRAM, &peer, &error), error, GN_CODE_UNSUPPORTED);
    EXPECT(peer.known == 0);
    ends_finish(&ends);
}

void suite_identity(void) {
    check("a peer's user, group and process are the kernel's", user_and_group);
    check("a peer of another user is seen as that user", another_user);
#if defined(__linux__)
    check("a program whose file was replaced keeps its digest, and its path says that it is gone", replaced_program);
    check("a process that has got the peer's id afterwards is not taken for the peer", id_used_again);
    check("without SO_PEERPIDFD the process is opened by number while the connection lasts", kernel_without_peer_pidfd);
    check("a program that cannot be read is unknown, which is no error", unreadable_program);
    check("a path that belongs to another file in the peer's own mount namespace is unknown; the digest is of what runs", disguised_by_a_mount);
#endif
    check("a kernel that knows no credentials makes it unsupported", kernel_says_no);
}
