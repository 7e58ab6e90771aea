// The second process: see roles.h.
//
//     serve tagged|envelope|memory PATH CONNECTIONS    takes so many connections, one after the other
//     serve liar PATH CONNECTIONS                      offers memory that is none, each time another way
//     join memory|idle|half PATH                       connects, and does what it is told, nothing, or half of something
//
// A service of tagged JSON answers `ping` with `pong`, `item` with the same, and refuses what has no known type with an error that leaves the connection as it is. One of envelopes
// acknowledges whatever has an id.
#include "roles.h"

#include "check.h"
#include "talk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LOOK_AGAIN = 1000000 };

// MARK: Endpoints

#if defined(_WIN32)

void role_path(char path[512]) {
    uint64_t number;
    gn_error error;
    EXPECT(gn_random(&number, sizeof number, &error) == GN_DONE);
    (void)snprintf(path, 512, "\\\\.\\pipe\\ginnel-peer-%016llx", (unsigned long long)number);
}

void role_clean(const char *path) { (void)path; }

#else

#include <unistd.h>

void role_path(char path[512]) {
    uint64_t number;
    gn_error error;
    EXPECT(gn_random(&number, sizeof number, &error) == GN_DONE);
    (void)snprintf(path, 512, "/tmp/ginnel-peer-%016llx/s", (unsigned long long)number);
}

void role_clean(const char *path) {
    char directory[512];
    (void)snprintf(directory, sizeof directory, "%.*s", (int)(strlen(path) - 2), path);
    (void)unlink(path);
    (void)snprintf(directory + strlen(directory), sizeof directory - strlen(directory), "/s.lock");
    (void)unlink(directory);
    directory[strlen(path) - 2] = 0;
    (void)rmdir(directory);
}

#endif

gn_listener *role_listen(const char *path) {
    gn_listen_options options = {.path = path, .create_directory = true, .directory_mode = 0700, .socket_mode = 0600, .group = -1, .backlog = 4};
    gn_listener *listener;
    gn_endpoint_facts facts;
    gn_error error;
    EXPECT(gn_listener_open(&options, &listener, &facts, &error) == GN_DONE);
    return listener;
}

/// Listens, connects, fills a connection and ends it, so that the close has to wait for what is on its way.
static void go_through(void) {
    static const uint8_t bytes[GN_WRITE_UNIT];
    char path[512];
    struct link first, second;
    gn_segment *segment;
    gn_error error;
    gn_span span = {.bytes = bytes, .count = sizeof bytes};
    size_t count;
    role_path(path);
    gn_listener *listener = role_listen(path);
    EXPECT(link_connect(&first, path) == LINK_DONE && link_accept(&second, listener) == LINK_DONE);
    while (gn_channel_write(first.channel, &span, 1, &count, &error) == GN_DONE) {}
    EXPECT(gn_segment_create(GN_SEGMENT_MINIMUM, &segment, &error) == GN_DONE);
    gn_segment_close(segment);
    link_close(&first);
    link_close(&second);
    gn_listener_close(listener);
    role_clean(path);
}

void role_warm_up(void) {
    go_through();
    uint64_t before = open_descriptors();
    go_through();
    (void)open_descriptors_left(before);
}

// MARK: The first process's side

gn_process *role_start(const char *role, const char *kind, const char *path, const char *connections) {
    gn_peer self;
    gn_process *process;
    gn_error error;
    gn_peer_self(&self);
    const char *const arguments[] = {"pipe-peer", role, kind, path, connections, NULL};
    EXPECT(gn_process_start(self.executable, arguments, NULL, NULL, 0, GN_NO_HANDLE, &process, &error) == GN_DONE);
    return process;
}

int32_t role_finish(gn_process *process) {
    struct link clock;
    gn_error error;
    int32_t status = -1;
    gn_outcome outcome;
    link_open(&clock, NULL);
    // There is no event for a child's end.
    while ((outcome = gn_process_status(process, &status, &error)) == GN_WOULD_BLOCK && link_wait(&clock, LOOK_AGAIN) == LINK_DONE) {}
    link_close(&clock);
    if (outcome == GN_WOULD_BLOCK) gn_process_end(process, true);
    gn_process_forget(process);
    return outcome == GN_DONE ? status : -1;
}

void role_kill(gn_process *process) {
    gn_process_end(process, true);
    EXPECT(role_finish(process) > 255);
}

// MARK: Services

static char text[TEXT_ROOM + 1], answer[TEXT_ROOM + 1];

static bool answer_tagged(struct link *link, size_t count) {
    char type[64];
    if (!string_member(text, count, "type", type, sizeof type)) return false;
    if (strcmp(type, "hold") == 0) return true;
    if (strcmp(type, "item") == 0) return frame_write(link, text, count);
    const char *reply = strcmp(type, "ping") == 0 ? "{\"type\":\"pong\"}" : "{\"type\":\"error\",\"message\":\"Invalid request: unknown type\"}";
    return frame_write(link, reply, strlen(reply));
}

static bool answer_envelope(struct link *link, size_t count) {
    char id[128], type[64], timestamp[64];
    if (!string_member(text, count, "id", id, sizeof id) || !string_member(text, count, "type", type, sizeof type) ||
        !string_member(text, count, "timestamp", timestamp, sizeof timestamp)) {
        return false;
    }
    bool known = strcmp(type, "HEARTBEAT") == 0;
    const char *complaint = known ? "" : ",\"error\":\"No handler registered for message type\"";
    int length = snprintf(answer, sizeof answer,
                          "{\"id\":\"answer-to-%s\",\"type\":\"ACKNOWLEDGMENT\",\"timestamp\":\"%s\",\"payload\":{\"originalMessageId\":\"%s\",\"success\":%s%s,\"timestamp\":\"%s\"}}", id,
                          timestamp, id, known ? "true" : "false", complaint, timestamp);
    return frame_write(link, answer, (size_t)length);
}

/// Until the connection ends; whatever is no message ends it from here.
static void serve_texts(struct link *link, const struct framing *framing) {
    size_t count;
    while (frame_read(link, framing, text, &count) == FRAME_DONE) {
        if (!is_object(text, count)) return;
        if (!(framing == &envelopes ? answer_envelope(link, count) : answer_tagged(link, count))) return;
    }
}

static bool left_nothing(uint64_t before) {
    uint64_t left = open_descriptors_left(before);
    if (left > before) (void)fprintf(stderr, "the second process: %llu descriptors before, %llu after\n", (unsigned long long)before, (unsigned long long)left);
    return left <= before;
}

static bool talk_over(struct stream *stream) {
    struct talk *made = calloc(1, sizeof *made);
    EXPECT(made != NULL);
    made->stream = stream;
    stream_result result = talk_on(made);
    free(made);
    stream_close(stream);
    if (result != STREAM_END && result != STREAM_LOST) (void)fprintf(stderr, "the second process: the talk ended with result %d\n", (int)result);
    return result == STREAM_END || result == STREAM_LOST;
}

/// An offer of one segment, with nothing beside it: what it says of where that segment is, is not so.
static void offer_nothing(struct link *link, int turn) {
    static const uint64_t numbers[ROLE_LIES] = {0, 4, 7, 0x7ffffffc, UINT64_C(1) << 40, UINT64_MAX};
    uint8_t message[24] = {'G', 'I', 'N', 'S', 'H', 'M', 1, 0, 1, 1, (uint8_t)(1 + 2 * gn_doorbell_handles()), 0, 0, 0, ROLE_CAPACITY >> 16, 0};
    uint8_t byte;
    for (size_t i = 0; i < 8; i++) message[16 + i] = (uint8_t)(numbers[turn % ROLE_LIES] >> 8 * i);
    (void)link_write(link, message, sizeof message);
    (void)link_read(link, &byte, 1);
    link_close(link);
}

static int serve(const char *kind, const char *path, int connections) {
    uint64_t before = open_descriptors();
    gn_listener *listener = role_listen(path);
    for (int i = 0; i < connections; i++) {
        struct link link;
        struct stream stream;
        if (link_accept(&link, listener) != LINK_DONE) return 2;
        if (strcmp(kind, "liar") == 0) {
            offer_nothing(&link, i);
        } else if (strcmp(kind, "memory") == 0) {
            if (stream_offer(&stream, &link, ROLE_CAPACITY) != STREAM_DONE) return 3;
            if (!talk_over(&stream)) return 4;
        } else {
            serve_texts(&link, strcmp(kind, "envelope") == 0 ? &envelopes : &tagged_json);
            link_close(&link);
        }
    }
    gn_listener_close(listener);
    return left_nothing(before) ? 0 : 5;
}

static int join(const char *kind, const char *path) {
    uint64_t before = open_descriptors();
    static const uint8_t half[] = {100, 0, 0, 0, '{', '"', 't', 'y', 'p', 'e'};
    struct link link;
    struct stream stream;
    bool well = true;
    if (link_connect(&link, path) != LINK_DONE) return 2;
    if (strcmp(kind, "half") == 0) {
        uint8_t byte;
        (void)link_write(&link, half, sizeof half);
        (void)link_read(&link, &byte, 1);
        link_close(&link);
        return 0;
    }
    if (stream_take(&stream, &link) != STREAM_DONE) return 3;
    if (strcmp(kind, "idle") == 0) {
        while (stream.state == STREAM_DONE && link_wait(&stream.link, GN_WAIT_FOR_EVER) == LINK_DONE) {}
        stream_close(&stream);
    } else {
        well = talk_over(&stream);
    }
    return !well ? 4 : left_nothing(before) ? 0 : 5;
}

int role_main(int count, char **arguments) {
    role_warm_up();
    if (count == 4 && strcmp(arguments[0], "serve") == 0) return serve(arguments[1], arguments[2], atoi(arguments[3]));
    if (count == 3 && strcmp(arguments[0], "join") == 0) return join(arguments[1], arguments[2]);
    return 64;
}
