// The round trip over a libuv pipe: what a user gets who picks the best-known event loop of C and frames messages by
// hand.
//
// Bare on purpose: uv_try_write() from the read callback, no write requests, no queue, so that what is measured is the
// loop. The framing and the check of the echo are the floor's own.
#include <uv.h>

#include "failure.h"
#include "frame.h"
#include "pair.h"

// A connection's handle comes first, so that libuv's pointer to the handle is a pointer to the connection.
struct connection {
    uv_pipe_t pipe;
    uv_connect_t connecting;
    struct inbox inbox;
    uint64_t id;
    uint64_t sent_at;
};

// libuv's callbacks carry no context of ours beyond the handle; one process has one loop and one of these.
static struct {
    uv_loop_t loop;
    struct connection *connections;
    int expected;  // connections in all
    int connected; // so many stand
    uint8_t *request;
    const struct options *options;
    struct measurement *measurement;
    pid_t server;
} state;

static void check(int result, const char *call) {
    if (result < 0) fail("%s: %s", call, uv_strerror(result));
}

static void state_open(const struct options *options) {
    check(uv_loop_init(&state.loop), "uv_loop_init");
    state.options = options;
    state.expected = options->connections;
    state.connections = calloc((size_t)options->connections, sizeof *state.connections);
    if (state.connections == NULL) fail_call("calloc");
}

static struct connection *connection_open(int index) {
    struct connection *connection = &state.connections[index];
    check(uv_pipe_init(&state.loop, &connection->pipe, 0), "uv_pipe_init");
    inbox_open(&connection->inbox);
    return connection;
}

static void lend(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer) {
    (void)suggested;
    struct inbox *inbox = &((struct connection *)handle)->inbox;
    *buffer = uv_buf_init((char *)inbox->bytes + inbox->have, (unsigned)(INBOX_SIZE - inbox->have));
}

static void send_message(struct connection *connection, uint8_t *message) {
    uv_buf_t buffer = uv_buf_init((char *)message, (unsigned)frame_length(message));
    int count = uv_try_write((uv_stream_t *)&connection->pipe, &buffer, 1);
    check(count, "uv_try_write");
    if ((unsigned)count != buffer.len) fail("a message of %zu bytes did not fit the socket's buffer", buffer.len);
}

static void on_request(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer) {
    (void)buffer;
    struct connection *connection = (struct connection *)stream;
    if (count == UV_EOF) {
        uv_close((uv_handle_t *)stream, NULL);
        return;
    }
    check((int)count, "read");
    if (inbox_advance(&connection->inbox, (size_t)count) == ARRIVED) send_message(connection, connection->inbox.bytes);
}

static void on_incoming(uv_stream_t *listener, int status) {
    check(status, "accept");
    struct connection *connection = connection_open(state.connected++);
    check(uv_accept(listener, (uv_stream_t *)&connection->pipe), "uv_accept");
    check(uv_read_start((uv_stream_t *)&connection->pipe, lend, on_request), "uv_read_start");
    if (state.connected == state.expected) uv_close((uv_handle_t *)listener, NULL); // the loop ends with the last one
}

static void serve(const struct options *options, const char *path) {
    uv_pipe_t listener;
    state_open(options);
    check(uv_pipe_init(&state.loop, &listener, 0), "uv_pipe_init");
    check(uv_pipe_bind(&listener, path), "uv_pipe_bind");
    check(uv_listen((uv_stream_t *)&listener, 4096, on_incoming), "uv_listen");
    pair_ready();
    uv_run(&state.loop, UV_RUN_DEFAULT);
}

static void send_next(struct connection *connection, uint64_t now) {
    connection->sent_at = now;
    connection->id += 1;
    frame_set_id(state.request, connection->id);
    send_message(connection, state.request);
}

static void on_reply(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer) {
    (void)buffer;
    struct connection *connection = (struct connection *)stream;
    if (count == UV_EOF) fail("the server closed a connection");
    check((int)count, "read");
    if (inbox_advance(&connection->inbox, (size_t)count) != ARRIVED) return;
    frame_check_echo(state.request, connection->inbox.bytes, connection->id);
    uint64_t now = clock_now();
    if (measurement_record(state.measurement, now, now - connection->sent_at))
        send_next(connection, now);
    else
        uv_close((uv_handle_t *)stream, NULL); // the loop ends with the last one
}

static void on_connected(uv_connect_t *connecting, int status) {
    check(status, "connect");
    check(uv_read_start(connecting->handle, lend, on_reply), "uv_read_start");
    if (++state.connected < state.expected) return;
    pair_connected();
    measurement_plan(state.measurement, state.options, state.server);
    for (int index = 0; index < state.expected; index += 1) send_next(&state.connections[index], clock_now());
}

static void drive(const struct options *options, const char *path, pid_t server, struct measurement *measurement) {
    state_open(options);
    state.measurement = measurement;
    state.server = server;
    state.request = frame_make(options->size);
    for (int index = 0; index < options->connections; index += 1) {
        struct connection *connection = connection_open(index);
        uv_pipe_connect(&connection->connecting, &connection->pipe, path, on_connected);
    }
    uv_run(&state.loop, UV_RUN_DEFAULT);
}

int main(int count, char **arguments) {
    static const struct workload round_trip = {.serve = serve, .drive = drive};
    struct options options = options_parse(count, arguments);
    if (options.work != ROUND_TRIP || options.pace != 0) options_refuse("libuv is measured in round trips as fast as they go only");
    pair_run(&options, &round_trip);
}
