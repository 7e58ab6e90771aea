// Round trips through two rings, one message in flight: the client writes into one and reads the echo from the other.
#include "failure.h"
#include "floor.h"
#include "pace.h"
#include "stream.h"

static void serve(const struct options *options, const char *path) {
    (void)path;
    struct ring_end in = server_reads(&stream_segment, options), out = server_writes(&stream_segment, options);
    uint8_t *message = stream_message(MAX_PAYLOAD);
    pair_ready();
    for (size_t length; (length = ring_receive(&in, message)) > 0;) ring_send(&out, message, length);
}

static void check_echo(const uint8_t *request, const uint8_t *reply, size_t length, const struct options *options) {
    if (length != options->size || stream_number(reply) != stream_number(request)) fail("an answer is not the echo of its request");
    if (stream_number(request) == 1 && memcmp(request, reply, length) != 0) fail("an echo has another payload than its request");
}

static void drive(const struct options *options, const char *path, pid_t server, struct measurement *measurement) {
    (void)path;
    struct ring_end in = client_reads(&stream_segment, options), out = client_writes(&stream_segment, options);
    uint8_t *request = stream_message(options->size), *reply = stream_message(MAX_PAYLOAD);
    pair_connected();
    stream_watch_server();

    measurement_plan(measurement, options, server);
    struct pace pace = pace_start(options);
    uint64_t before, now = clock_now(), number = 0;
    do {
        before = pace_next(&pace, now);
        stream_set_number(request, ++number);
        ring_send(&out, request, options->size);
        check_echo(request, reply, ring_receive(&in, reply), options);
        now = clock_now();
    } while (measurement_record(measurement, now, now - before));
    stream_close(&out);
}

const struct workload stream_echo = {.serve = serve, .drive = drive, .prepare = stream_prepare};
