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
    if (needs_root("a peer of another user")) return;
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

static void copy_program(const char *target) {
    gn_peer self;
    char bytes[65536];
    gn_peer_self(&self);
    FILE *from = fopen(self.executable, "rb"), *to = fopen(target, "wb");
    EXPECT(from != NULL && to != NULL);
    for (size_t count; (count = fread(bytes, 1, sizeof bytes, from)) > 0;) EXPECT(fwrite(bytes, 1, count, to) == count);
    // Another program in its last byte, which no loader looks at.
    EXPECT(fputc('!', to) != EOF && fclose(to) == 0 && fclose(from) == 0 && chmod(target, 0700) == 0);
}

/// A partner that is another program.
static void start_program(struct partner *partner, const char *program, const char *const *arguments) {
    gn_error error;
    ends_pair(&partner->ends);
    gn_handle inherited = gn_channel_release(partner->ends.b);
    partner->ends.b = NULL;
    EXPECT(gn_process_start(program, arguments, NULL, &inherited, 1, GN_NO_HANDLE, &partner->process, &error) == GN_DONE);
    gn_handle_close(inherited);
}

static void another_program(void) {
    struct place place;
    char program[192], deleted[224];
    gn_channel *channel;
    gn_peer self, peer;
    gn_error error;
    place_make(&place);
    (void)snprintf(program, sizeof program, "%s/another", place.root);
    copy_program(program);
    gn_listener *listener = open_listener(&place);
    struct partner partner;
    start_program(&partner, program, (const char *const[]){"another", "--child", "connect-quietly", place.socket, NULL});
    partner_await(&partner);
    EXPECT(gn_listener_accept(listener, &channel, &error) == GN_DONE);
    EXPECT(gn_peer_identify(channel, PROGRAM, &peer, &error) == GN_DONE);
    EXPECT((peer.known & PROGRAM) == PROGRAM && strcmp(peer.executable, program) == 0);
    gn_channel *own_first, *own_second;
    EXPECT(gn_channel_pair(&own_first, &own_second, &error) == GN_DONE);
    EXPECT(gn_peer_identify(own_first, PROGRAM, &self, &error) == GN_DONE);
    EXPECT(memcmp(self.digest, peer.digest, sizeof peer.digest) != 0);
    gn_channel_abort(own_first);
    gn_channel_abort(own_second);
#if defined(__linux__)
    uint8_t digest[32];
    memcpy(digest, peer.digest, sizeof digest);
    EXPECT(unlink(program) == 0);
    write_file(program, "an innocent file in its place");
    EXPECT(gn_peer_identify(channel, PROGRAM, &peer, &error) == GN_DONE);
    (void)snprintf(deleted, sizeof deleted, "%s (deleted)", program);
    EXPECT(strcmp(peer.executable, deleted) == 0 && memcmp(peer.digest, digest, sizeof digest) == 0);
#else
    (void)deleted;
#endif
    gn_channel_abort(channel);
    EXPECT(partner_finish(&partner) == 0);
    gn_listener_close(listener);
    place_remove(&place);
}

#if defined(__linux__)
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

static void ended_but_not_reaped(void) {
    struct place place;
    struct partner partner;
    gn_listener *listener;
    gn_peer peer;
    gn_error error;
    int32_t status;
    gn_channel *channel = accept_partner(&place, &partner, &listener);
    gn_process_end(partner.process, true);
    while (gn_process_status(partner.process, &status, &error) == GN_WOULD_BLOCK) {}
    EXPECT(gn_peer_identify(channel, PROGRAM, &peer, &error) == GN_DONE);
    EXPECT(peer.process == gn_process_id(partner.process) && (peer.known & PROGRAM) == 0);
    gn_channel_abort(channel);
    EXPECT(partner_finish(&partner) == 256 + 9);
    gn_listener_close(listener);
    place_remove(&place);
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
    if (start_with_id(id)) {
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
    } else {
        (void)printf("# not allowed to choose a process id, not looked at: an id that is used again\n");
    }
    gn_channel_abort(channel);
    gn_listener_close(listener);
    place_remove(&place);
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
    copy_program(impostor);
    gn_peer_self(&self);
    gn_listener *listener = open_listener(&place);
    partner_start(&partner, (const char *const[]){"disguised", impostor, self.executable, place.socket, NULL});
    if (ends_read(&partner.ends, TOKEN_A, &byte, 1, &count, &error) == GN_DONE) {
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
        (void)printf("# not allowed to have a mount namespace, not looked at: a program in disguise\n");
    }
    gn_listener_close(listener);
    place_remove(&place);
}

static void enormous_program(void) {
    struct place place;
    struct partner partner;
    char program[192];
    gn_channel *channel;
    gn_peer peer;
    gn_error error;
    place_make(&place);
    (void)snprintf(program, sizeof program, "%s/enormous", place.root);
    copy_program(program);
    EXPECT(truncate(program, (off_t)GN_DIGEST_LIMIT + 1) == 0);
    gn_listener *listener = open_listener(&place);
    start_program(&partner, program, (const char *const[]){"enormous", "--child", "connect-quietly", place.socket, NULL});
    partner_await(&partner);
    EXPECT(gn_listener_accept(listener, &channel, &error) == GN_DONE);
    EXPECT(gn_peer_identify(channel, PROGRAM, &peer, &error) == GN_DONE);
    EXPECT((peer.known & PROGRAM) == GN_PEER_EXECUTABLE && strcmp(peer.executable, program) == 0);
    gn_channel_abort(channel);
    EXPECT(partner_finish(&partner) == 0);
    gn_listener_close(listener);
    place_remove(&place);
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
    check("another program has another path and digest, also after its file was replaced", another_program);
#if defined(__linux__)
    check("a process that has ended has no program, even before it is reaped", ended_but_not_reaped);
    check("a process that has got the peer's id afterwards is not taken for the peer", id_used_again);
    check("without SO_PEERPIDFD the process is opened by number while the connection lasts", kernel_without_peer_pidfd);
    check("a program that cannot be read is unknown, which is no error", unreadable_program);
    check("a path that belongs to another file in the peer's own mount namespace is unknown; the digest is of what runs", disguised_by_a_mount);
    check("a program over the limit has a path and no digest", enormous_program);
#endif
    check("a kernel that knows no credentials makes it unsupported", kernel_says_no);
}
