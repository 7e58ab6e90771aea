// What stands at the socket's path: stale sockets go, everything else stays.
#include "posix_support.h"

#include <sys/socket.h>

static void stale(void) {
    struct place place;
    gn_channel *channel;
    gn_error error;
    place_make(&place);
    place_make_directory(&place, 0700);
    (void)close(foreign_socket(place.socket, SOCK_STREAM, 5));
    EXPECT(exists(place.socket));
    EXPECT_CODE(gn_channel_connect(place.socket, &channel, &error), error, GN_CODE_REFUSED);
    gn_listener *listener = open_listener(&place);
    EXPECT(gn_channel_connect(place.socket, &channel, &error) == GN_DONE);
    gn_channel_abort(channel);
    gn_listener_close(listener);
    EXPECT(!exists(place.socket));
    place_remove(&place);
}

static void live_without_our_lock(void) {
    struct place place;
    gn_endpoint_facts facts;
    gn_channel *channel;
    gn_error error;
    place_make(&place);
    place_make_directory(&place, 0700);
    int foreign = foreign_socket(place.socket, SOCK_STREAM, 5);
    expect_refusal(&place, GN_CODE_BUSY, &facts);
    EXPECT(facts.answers && !facts.lock_held && !exists(place.lock));
    EXPECT(gn_channel_connect(place.socket, &channel, &error) == GN_DONE);
    gn_channel_abort(channel);
    (void)close(foreign);
    gn_listener_close(open_listener(&place));
    place_remove(&place);
}

static void live_with_full_backlog(void) {
    struct place place;
    gn_endpoint_facts facts;
    gn_channel *waiting;
    gn_error error;
    place_make(&place);
    place_make_directory(&place, 0700);
    int foreign = foreign_socket(place.socket, SOCK_STREAM, 0);
    EXPECT(gn_channel_connect(place.socket, &waiting, &error) == GN_DONE);
    expect_refusal(&place, GN_CODE_BUSY, &facts);
    EXPECT(facts.answers && exists(place.socket));
    gn_channel_abort(waiting);
    (void)close(foreign);
    place_remove(&place);
}

static void live_of_another_kind(void) {
    struct place place;
    gn_endpoint_facts facts;
    place_make(&place);
    place_make_directory(&place, 0700);
    int foreign = foreign_socket(place.socket, SOCK_DGRAM, -1);
    expect_refusal(&place, GN_CODE_BUSY, &facts);
    EXPECT(exists(place.socket));
    (void)close(foreign);
    place_remove(&place);
}

static void no_socket(void) {
    for (int kind = 0; kind < 3; kind++) {
        struct place place;
        gn_endpoint_facts facts;
        gn_channel *channel;
        gn_error error;
        place_make(&place);
        place_make_directory(&place, 0700);
        if (kind == 0) write_file(place.socket, "mine");
        if (kind == 1) EXPECT(mkfifo(place.socket, 0600) == 0);
        if (kind == 2) EXPECT(mkdir(place.socket, 0700) == 0);
        expect_refusal(&place, GN_CODE_NOT_A_SOCKET, &facts);
        EXPECT(strcmp(facts.offender, place.socket) == 0 && facts.socket_exists && !facts.socket_is_socket);
        EXPECT(exists(place.socket) && (kind != 0 || file_holds(place.socket, "mine")));
        EXPECT(!exists(place.lock));
        EXPECT_CODE(gn_channel_connect(place.socket, &channel, &error), error, GN_CODE_NOT_A_SOCKET);
        gn_endpoint_inspect(place.socket, &facts);
        EXPECT(facts.socket_exists && !facts.socket_is_socket && strcmp(facts.offender, place.socket) == 0);
        place_remove(&place);
    }
}

static void link_to_a_socket(void) {
    struct place place;
    gn_endpoint_facts facts;
    char target[192];
    place_make(&place);
    place_make_directory(&place, 0700);
    (void)snprintf(target, sizeof target, "%s/target", place.root);
    (void)close(foreign_socket(target, SOCK_STREAM, 5));
    EXPECT(symlink(target, place.socket) == 0);
    expect_refusal(&place, GN_CODE_UNSAFE, &facts);
    EXPECT(facts.socket_is_link && strcmp(facts.offender, place.socket) == 0);
    EXPECT(exists(place.socket) && exists(target));
    place_remove(&place);
}

static void of_a_stranger(void) {
    needs_root();
    struct place place;
    gn_endpoint_facts facts;
    place_make(&place);
    place_make_directory(&place, 01777);
    place.options.shared_directory = true;
    (void)close(foreign_socket(place.socket, SOCK_STREAM, 5));
    EXPECT(lchown(place.socket, STRANGER, STRANGER) == 0);
    expect_refusal(&place, GN_CODE_UNSAFE, &facts);
    EXPECT(strcmp(facts.offender, place.socket) == 0 && facts.socket_owner == STRANGER && exists(place.socket));
    place_remove(&place);
}

static void successor_stays(void) {
    struct place place;
    place_make(&place);
    gn_listener *listener = open_listener(&place);
    // Somebody has put another socket and another lock in the place of ours.
    EXPECT(unlink(place.socket) == 0 && unlink(place.lock) == 0);
    int successor = foreign_socket(place.socket, SOCK_STREAM, 5);
    write_file(place.lock, "another\n");
    gn_listener_close(listener);
    EXPECT(exists(place.socket) && file_holds(place.lock, "another\n"));
    (void)close(successor);
    place_remove(&place);
}

static void adopted_stays(void) {
    struct place place;
    gn_listener *listener;
    gn_channel *channel, *accepted;
    gn_error error;
    place_make(&place);
    place_make_directory(&place, 0700);
    int foreign = foreign_socket(place.socket, SOCK_STREAM, 5);
    EXPECT(gn_listener_adopt(foreign, &listener, &error) == GN_DONE);
    EXPECT(gn_listener_accept(listener, &accepted, &error) == GN_WOULD_BLOCK);
    EXPECT(gn_channel_connect(place.socket, &channel, &error) == GN_DONE);
    EXPECT(gn_listener_accept(listener, &accepted, &error) == GN_DONE);
    gn_channel_abort(accepted);
    gn_channel_abort(channel);
    gn_listener_close(listener);
    EXPECT(exists(place.socket));
    place_remove(&place);
}

static void adopt_what_does_not_fit(void) {
    struct place place;
    gn_listener *listener;
    gn_channel *channel;
    gn_error error;
    int pair[2];
    place_make(&place);
    place_make_directory(&place, 0700);
    int listening = foreign_socket(place.socket, SOCK_STREAM, 5);
    EXPECT_CODE(gn_channel_adopt(listening, &channel, &error), error, GN_CODE_INVALID);
    (void)close(listening);
    int unconnected = socket(AF_UNIX, SOCK_STREAM, 0), network = socket(AF_INET, SOCK_STREAM, 0), null = open("/dev/null", O_RDWR);
    const int descriptors[] = {unconnected, network, null};
    for (size_t i = 0; i < 3; i++) {
        EXPECT_CODE(gn_channel_adopt(descriptors[i], &channel, &error), error, GN_CODE_INVALID);
        EXPECT_CODE(gn_listener_adopt(descriptors[i], &listener, &error), error, GN_CODE_INVALID);
        if (descriptors[i] >= 0) EXPECT(close(descriptors[i]) == 0);
    }
    EXPECT(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) == 0);
    EXPECT_CODE(gn_channel_adopt(pair[0], &channel, &error), error, GN_CODE_INVALID);
    EXPECT(close(pair[0]) == 0 && close(pair[1]) == 0);
    place_remove(&place);
}

static void not_allowed(void) {
    needs_root();
    struct place place;
    place_make(&place);
    gn_listener *listener = open_listener(&place);
    char user[16];
    (void)snprintf(user, sizeof user, "%d", STRANGER);
    EXPECT(chmod(place.root, 0755) == 0);
    // Once because of the directory, once because of the socket alone.
    for (int turn = 0; turn < 2; turn++) {
        struct partner partner;
        partner_start(&partner, (const char *const[]){"connect-as", user, place.socket, NULL});
        EXPECT(partner_finish(&partner) == GN_CODE_DENIED);
        EXPECT(chmod(place.directory, 0755) == 0);
    }
    gn_listener_close(listener);
    place_remove(&place);
}

void suite_sockets(void) {
    check("a stale socket is replaced", stale);
    check("a live socket of a program without our lock is busy and stays", live_without_our_lock);
    check("a live socket with a full backlog is busy and stays", live_with_full_backlog);
    check("a live socket of another kind is busy and stays", live_of_another_kind);
    check("what is no socket is called that and stays", no_socket);
    check("a link in the place of the socket is unsafe, and its target stays", link_to_a_socket);
    check("a stranger's socket is unsafe, is named, and stays", of_a_stranger);
    check("closing removes no socket and no lock but our own", successor_stays);
    check("an adopted listener works and leaves its socket behind", adopted_stays);
    check("what is no local stream, or not in the right state, cannot be adopted", adopt_what_does_not_fit);
    check("a stranger is denied by the directory's mode and by the socket's", not_allowed);
}
