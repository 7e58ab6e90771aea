// Scenarios of tagged JSON and envelopes: this process is the client of a second one, or serves it.
#include "check.h"
#include "roles.h"
#include "scenarios.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FLOOD = 10000, WINDOW = 16, LONGEST_ITEM = 3000 };

static const uint64_t FLOOD_NANOSECONDS = 2000000000;

static char text[TEXT_ROOM + 1], expected[TEXT_ROOM + 1];

/// A service in a second process, and a connection to it.
static struct both {
    char path[512];
    gn_process *process;
    struct link link;
} both;

static void both_begin(const char *kind, const char *connections) {
    role_path(both.path);
    both.process = role_start("serve", kind, both.path, connections);
    EXPECT(link_connect(&both.link, both.path) == LINK_DONE);
}

static void both_connect_again(void) {
    link_close(&both.link);
    EXPECT(link_connect(&both.link, both.path) == LINK_DONE);
}

static void both_finish(void) {
    link_close(&both.link);
    EXPECT(role_finish(both.process) == 0);
    role_clean(both.path);
}

static void send(const char *message) { EXPECT(frame_write(&both.link, message, strlen(message))); }

static size_t take(const struct framing *framing) {
    size_t count = 0;
    EXPECT(frame_read(&both.link, framing, text, &count) == FRAME_DONE && is_object(text, count));
    return count;
}

static void expect_text(const struct framing *framing, const char *message) {
    size_t count = take(framing);
    EXPECT(count == strlen(message) && memcmp(text, message, count) == 0);
}

static void expect_closed(const struct framing *framing) {
    size_t count;
    EXPECT(frame_read(&both.link, framing, text, &count) == FRAME_END);
}

// MARK: Tagged JSON

static void ping(void) {
    static const uint8_t golden[] = "\x0f\0\0\0{\"type\":\"ping\"}", reply[] = "\x0f\0\0\0{\"type\":\"pong\"}";
    uint8_t bytes[sizeof reply - 1];
    both_begin("tagged", "1");
    // The golden bytes of the page, as they are.
    EXPECT(link_write(&both.link, golden, sizeof golden - 1) == LINK_DONE);
    EXPECT(link_read(&both.link, bytes, sizeof bytes) == LINK_DONE && memcmp(bytes, reply, sizeof bytes) == 0);
    both_finish();
}

static void refused_and_kept(void) {
    both_begin("tagged", "1");
    send("{\"type\":\"unheard of\"}");
    expect_text(&tagged_json, "{\"type\":\"error\",\"message\":\"Invalid request: unknown type\"}");
    send("{\"other\":{\"type\":\"hidden\"},\"type\":\"ping\"}");
    expect_text(&tagged_json, "{\"type\":\"pong\"}");
    both_finish();
}

/// A text of exactly so many bytes.
static size_t padded(size_t count) {
    int head = snprintf(expected, sizeof expected, "{\"type\":\"item\",\"padding\":\"");
    memset(expected + head, 'x', count - (size_t)head - 2);
    memcpy(expected + count - 2, "\"}", 3);
    return count;
}

static void longest(void) {
    both_begin("tagged", "3");
    EXPECT(frame_write(&both.link, expected, padded(65536)));
    EXPECT(take(&tagged_json) == 65536 && memcmp(text, expected, 65536) == 0);
    // One more: closed, before a byte of the text is waited for.
    EXPECT(link_write(&both.link, "\x01\0\x01\0", 4) == LINK_DONE);
    expect_closed(&tagged_json);
    both_connect_again();
    EXPECT(link_write(&both.link, "\xff\xff\xff\xff", 4) == LINK_DONE);
    expect_closed(&tagged_json);
    both_connect_again();
    send("{\"type\":\"ping\"}");
    expect_text(&tagged_json, "{\"type\":\"pong\"}");
    both_finish();
}

static void no_text(void) {
    static const char *const wrong[] = {"", "null", "{", "{\"type\":\"ping\"", "{\"type\":\"ping\"}}", "[\"type\"]", "{\"type\":5}", "{\"a]\":[}"};
    enum { COUNT = sizeof wrong / sizeof wrong[0] };
    char connections[8];
    (void)snprintf(connections, sizeof connections, "%d", COUNT);
    both_begin("tagged", connections);
    for (size_t i = 0; i < COUNT; i++) {
        if (i > 0) both_connect_again();
        send(wrong[i]);
        expect_closed(&tagged_json);
    }
    both_finish();
}

static int make_item(char *into, unsigned number) {
    int count = snprintf(into, sizeof expected, "{\"type\":\"item\",\"number\":%u,\"text\":\"", number);
    size_t more = number * 37 % LONGEST_ITEM;
    for (size_t i = 0; i < more; i++) into[count++] = (char)('a' + (number + i) % 26);
    return count + snprintf(into + count, 3, "\"}");
}

static void flood(void) {
    unsigned sent = 0, taken = 0;
    both_begin("tagged", "1");
    uint64_t over = gn_clock_awake() + FLOOD_NANOSECONDS;
    bool more = true;
    // So many on their way at once that they fill no pipe in both directions.
    while (more || taken < sent) {
        more = more && sent < FLOOD && gn_clock_awake() < over;
        if (more && sent - taken < WINDOW) {
            EXPECT(frame_write(&both.link, expected, (size_t)make_item(expected, sent)));
            sent++;
        } else if (taken < sent) {
            size_t length = (size_t)make_item(expected, taken), count = take(&tagged_json);
            EXPECT(count == length && memcmp(text, expected, count) == 0);
            taken++;
        }
    }
    EXPECT(sent > WINDOW);
    both_finish();
}

// MARK: Envelopes

static void heartbeat(void) {
    static const uint8_t golden[] = "\x46\0\0\0{\"id\":\"test-id\",\"type\":\"HEARTBEAT\",\"timestamp\":\"2024-01-01T12:00:00Z\"}";
    char value[64];
    both_begin("envelope", "1");
    for (int turn = 0; turn < 3; turn++) {
        EXPECT(link_write(&both.link, golden, sizeof golden - 1) == LINK_DONE);
        size_t count = take(&envelopes);
        EXPECT(string_member(text, count, "type", value, sizeof value) && strcmp(value, "ACKNOWLEDGMENT") == 0);
        EXPECT(strstr(text, "\"payload\":{\"originalMessageId\":\"test-id\",\"success\":true,") != NULL);
        // Of the payload's own members none is the envelope's.
        EXPECT(!string_member(text, count, "originalMessageId", value, sizeof value));
    }
    send("{\"id\":\"7\",\"type\":\"NOBODY\",\"timestamp\":\"2024-01-01T12:00:00Z\"}");
    (void)take(&envelopes);
    EXPECT(strstr(text, "\"success\":false") != NULL);
    both_finish();
}

static void lengths_of_envelopes(void) {
    static const char *const lengths[] = {"\0\0\0\0", "\x01\0\x10\0", "\xff\xff\xff\xff", "\0\0\0\x80"};
    both_begin("envelope", "5");
    // One mebibyte is the longest.
    int head = snprintf(expected, sizeof expected, "{\"id\":\"long\",\"type\":\"HEARTBEAT\",\"timestamp\":\"2024-01-01T12:00:00Z\",\"payload\":{\"padding\":\"");
    memset(expected + head, 'x', TEXT_ROOM - (size_t)head - 3);
    memcpy(expected + TEXT_ROOM - 3, "\"}}", 4);
    EXPECT(frame_write(&both.link, expected, TEXT_ROOM));
    (void)take(&envelopes);
    EXPECT(strstr(text, "\"originalMessageId\":\"long\",\"success\":true") != NULL);
    for (size_t i = 0; i < 4; i++) {
        both_connect_again();
        EXPECT(link_write(&both.link, lengths[i], 4) == LINK_DONE);
        expect_closed(&envelopes);
    }
    both_finish();
}

// MARK: Ends

static void service_killed(void) {
    size_t count;
    both_begin("tagged", "1");
    send("{\"type\":\"ping\"}");
    expect_text(&tagged_json, "{\"type\":\"pong\"}");
    // It keeps this one and says nothing.
    send("{\"type\":\"hold\"}");
    role_kill(both.process);
    frame_result result = frame_read(&both.link, &tagged_json, text, &count);
    EXPECT(result == FRAME_END || (result == FRAME_BROKEN && both.link.error.code == GN_CODE_RESET));
    link_close(&both.link);
    role_clean(both.path);
}

static void client_killed(void) {
    size_t count;
    role_path(both.path);
    gn_listener *listener = role_listen(both.path);
    both.process = role_start("join", "half", both.path, NULL);
    EXPECT(link_accept(&both.link, listener) == LINK_DONE);
    uint8_t begun[10];
    EXPECT(link_read(&both.link, begun, sizeof begun) == LINK_DONE && begun[0] == 100);
    role_kill(both.process);
    // A new text would begin here only if the old one had come to its end.
    link_result result = link_read(&both.link, text, 94);
    EXPECT(result == LINK_END || (result == LINK_LOST && both.link.error.code == GN_CODE_RESET));
    EXPECT(frame_read(&both.link, &tagged_json, text, &count) != FRAME_DONE);
    link_close(&both.link);
    gn_listener_close(listener);
    role_clean(both.path);
}

void scenarios_of_texts(void) {
    check("a ping is answered by a pong of another process, byte for byte", ping);
    check("a request of no known type is answered by an error, and the connection stays", refused_and_kept);
    check("a text of 65,536 bytes comes back, and a length over that closes the connection unread", longest);
    check("a text of no bytes, or one that is no object with a type, closes the connection", no_text);
    check("a flood of requests is answered whole and in order", flood);
    check("a heartbeat in an envelope is acknowledged, and another type is told that nobody knows it", heartbeat);
    check("an envelope of one mebibyte is taken, and lengths of 0, over that and below 0 close the connection", lengths_of_envelopes);
    check("a service that is killed over a request ends the connection for its client", service_killed);
    check("a client that is killed within a message ends the connection for its service", client_killed);
}
