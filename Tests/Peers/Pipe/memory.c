// Scenarios of shared memory between two processes, of which this one is the client or the service.
#include "check.h"
#include "roles.h"
#include "scenarios.h"
#include "talk.h"

#include <stdio.h>
#include <string.h>

enum { FLOOD = 20000, ECHOES = 300, BEFORE_THE_KILL = 500 };

static const uint64_t FLOOD_NANOSECONDS = 2000000000;

/// A stream to a second process.
static struct both {
    char path[512];
    gn_process *process;
    gn_listener *listener;
    struct stream stream;
    struct talk talk;
} both;

static void begin_talk(void) {
    memset(&both.talk, 0, sizeof both.talk);
    both.talk.stream = &both.stream;
    both.talk.asked_here = true;
}

/// The other one has made the memory.
static void begin_as_client(void) {
    struct link link;
    memset(&both, 0, sizeof both);
    role_path(both.path);
    both.process = role_start("serve", "memory", both.path, "1");
    EXPECT(link_connect(&link, both.path) == LINK_DONE && stream_take(&both.stream, &link) == STREAM_DONE);
    begin_talk();
}

/// The memory is ours.
static void begin_as_service(const char *kind) {
    struct link link;
    memset(&both, 0, sizeof both);
    role_path(both.path);
    both.listener = role_listen(both.path);
    both.process = role_start("join", kind, both.path, NULL);
    EXPECT(link_accept(&link, both.listener) == LINK_DONE && stream_offer(&both.stream, &link, ROLE_CAPACITY) == STREAM_DONE);
    begin_talk();
}

static void finish(bool killed) {
    stream_close(&both.stream);
    if (both.listener != NULL) gn_listener_close(both.listener);
    if (!killed) EXPECT(role_finish(both.process) == 0);
    role_clean(both.path);
}

// MARK: Traffic

static void echo_each_length(void) {
    static uint8_t bytes[TALK_LONGEST], back[TALK_LONGEST];
    uint64_t lengthiest = ring_longest(&both.stream.out), count;
    for (uint64_t turn = 0; turn < ECHOES; turn++) {
        uint64_t length = turn < 40 ? turn + 1 : 1 + turn * 977 % lengthiest;
        if (turn == ECHOES - 1) length = lengthiest;
        for (uint64_t i = 0; i < length; i++) bytes[i] = (uint8_t)(7 * (turn + i) + 3);
        bytes[0] = 'e';
        EXPECT(stream_write(&both.stream, bytes, length) == STREAM_DONE);
        EXPECT(stream_read(&both.stream, back, sizeof back, &count) == STREAM_DONE && count == length && memcmp(bytes, back, length) == 0);
    }
    EXPECT(stream_write(&both.stream, bytes, lengthiest + 1) == STREAM_FAILED);
}

static void echo(void) {
    begin_as_client();
    echo_each_length();
    finish(false);
}

static void echo_of_the_service(void) {
    begin_as_service("memory");
    echo_each_length();
    finish(false);
}

/// Sends for so long, or so many, and sees that all have come.
static void flood_out(void) {
    uint64_t over = gn_clock_awake() + FLOOD_NANOSECONDS;
    both.talk.to_send = FLOOD;
    while (both.talk.sent < both.talk.to_send) {
        EXPECT(talk_turn(&both.talk) == STREAM_DONE);
        if (gn_clock_awake() > over) both.talk.to_send = both.talk.sent;
    }
    EXPECT(talk_ask(&both.talk) == STREAM_DONE && both.talk.answer == both.talk.sent && both.talk.sent > 100);
}

/// Asks the other side for a flood of so many.
static void ask_for(uint64_t wanted) {
    uint8_t message[9] = {'b'};
    for (size_t i = 0; i < 8; i++) message[1 + i] = (uint8_t)(wanted >> 8 * i);
    EXPECT(stream_write(&both.stream, message, sizeof message) == STREAM_DONE);
}

static void flood(void) {
    begin_as_client();
    flood_out();
    finish(false);
}

static void flood_back(void) {
    enum { WANTED = 5000 };
    begin_as_client();
    ask_for(WANTED);
    while (both.talk.taken < WANTED) EXPECT(talk_turn(&both.talk) == STREAM_DONE);
    EXPECT(talk_ask(&both.talk) == STREAM_DONE && both.talk.taken == WANTED);
    finish(false);
}

static void both_ways_at_once(void) {
    enum { EACH = 5000 };
    begin_as_service("memory");
    ask_for(EACH);
    both.talk.to_send = EACH;
    while (both.talk.taken < EACH || both.talk.sent < EACH) EXPECT(talk_turn(&both.talk) == STREAM_DONE);
    EXPECT(talk_ask(&both.talk) == STREAM_DONE && both.talk.answer == EACH && both.talk.taken == EACH);
    finish(false);
}

static void nothing_to_do(void) {
    uint64_t processor = gn_clock_processor(), awake = gn_clock_awake();
    begin_as_client();
    // Who has nothing to read sleeps: a poller that is woken for nothing would cost as much as it waits.
    EXPECT(ring_waits_for_record(&both.stream.in));
    link_result result = LINK_DONE;
    both.stream.link.seen = 0;
    while (result == LINK_DONE && gn_clock_awake() - awake < 300000000) result = link_wait(&both.stream.link, 100000000);
    EXPECT(result == LINK_DONE && gn_clock_processor() - processor < gn_clock_awake() - awake);
    echo_each_length();
    finish(false);
}

// MARK: Kills

/// Takes what the killed one had published, whole and in order, and then the end.
static void taken_to_the_end(void) {
    role_kill(both.process);
    uint64_t before = both.talk.taken;
    both.talk.to_send = both.talk.sent;
    EXPECT(talk_on(&both.talk) == STREAM_LOST && both.talk.taken >= before);
    // Nothing comes any more, and nothing is taken.
    uint64_t count;
    uint8_t bytes[1];
    EXPECT(stream_read(&both.stream, bytes, sizeof bytes, &count) == STREAM_LOST && stream_write(&both.stream, "q", 1) == STREAM_LOST);
    finish(true);
}

static void service_killed(void) {
    begin_as_client();
    ask_for(UINT64_MAX);
    while (both.talk.taken < BEFORE_THE_KILL) EXPECT(talk_turn(&both.talk) == STREAM_DONE);
    taken_to_the_end();
}

static void client_killed(void) {
    begin_as_service("memory");
    ask_for(UINT64_MAX);
    both.talk.to_send = UINT64_MAX;
    while (both.talk.taken < BEFORE_THE_KILL) EXPECT(talk_turn(&both.talk) == STREAM_DONE);
    taken_to_the_end();
}

static void killed_while_we_sleep_for_room(void) {
    begin_as_service("idle");
    stream_result result;
    while ((result = stream_try_write(&both.stream, "f", 1)) == STREAM_DONE) {}
    EXPECT(result == STREAM_NONE);
    role_kill(both.process);
    EXPECT(stream_write(&both.stream, "f", 1) == STREAM_LOST);
    finish(true);
}

static void nothing_behind_it(void) {
    char connections[8];
    memset(&both, 0, sizeof both);
    role_path(both.path);
    (void)snprintf(connections, sizeof connections, "%d", ROLE_LIES);
    both.process = role_start("serve", "liar", both.path, connections);
    // One of ours that could be named: it is as it was afterwards.
    gn_segment *segment;
    gn_error error;
    EXPECT(gn_segment_create(GN_SEGMENT_MINIMUM, &segment, &error) == GN_DONE);
    gn_handle handle = gn_segment_handle(segment);
    for (int turn = 0; turn < ROLE_LIES; turn++) {
        struct link link;
        EXPECT(link_connect(&link, both.path) == LINK_DONE && stream_take(&both.stream, &link) == STREAM_VIOLATION);
        stream_close(&both.stream);
    }
    memset(gn_segment_bytes(segment), 'x', GN_SEGMENT_MINIMUM);
    EXPECT(gn_segment_handle(segment) == handle);
    gn_segment_close(segment);
    finish(false);
}

static void ended_in_order(void) {
    begin_as_service("memory");
    echo_each_length();
    // It is told the end by our farewell, counts what it has open, and says by its status that it was right.
    finish(false);
}

void scenarios_of_memory(void) {
    check("messages of all lengths come back from a service through its memory", echo);
    check("messages of all lengths come back from a client through ours", echo_of_the_service);
    check("a flood arrives in order and whole", flood);
    check("a flood from the other side arrives in order and whole", flood_back);
    check("floods in both directions at once arrive in order and whole", both_ways_at_once);
    check("who has nothing to read sleeps, and is woken", nothing_to_do);
    check("a service that is killed in a flood is noticed after what it had published, and leaves nothing behind", service_killed);
    check("a client that is killed in two floods is noticed after what it had published, and leaves nothing behind", client_killed);
    check("a peer that is killed while we sleep for room is noticed", killed_while_we_sleep_for_room);
    check("an offer with no segment behind it is refused, whatever it says, and nothing of ours is touched", nothing_behind_it);
    check("a farewell is told from a death, and the other process has left nothing open", ended_in_order);
}
