// One-way messages through a ring, as fast as it takes them. The server counts what has arrived, in order, and says the number when asked, by a message that
// is numbered 0; it answers through the other ring.
#include "failure.h"
#include "floor.h"
#include "stream.h"

static void serve(const struct options *options, const char *path) {
    (void)path;
    struct ring_end in = server_reads(&stream_segment, options), out = server_writes(&stream_segment, options);
    uint8_t *message = stream_message(MAX_PAYLOAD);
    uint64_t count = 0;
    pair_ready();
    while (ring_receive(&in, message) > 0) {
        if (stream_number(message) == 0)
            ring_send(&out, &count, sizeof count);
        else if (stream_number(message) != ++count)
            fail("a message is missing or out of order");
    }
}

struct sender {
    struct ring_end in;
    struct ring_end out;
    uint8_t *message;
    uint8_t *answer;
    size_t size;
    uint64_t sent;
};

static void send_until(struct sender *sender, const uint64_t *end, int batch) {
    while (clock_now() < *end) {
        for (int index = 0; index < batch; index += 1) {
            stream_set_number(sender->message, ++sender->sent);
            ring_send(&sender->out, sender->message, sender->size);
        }
    }
}

// Returns once everything sent has been received and counted.
static void wait_for_count(struct sender *sender) {
    stream_set_number(sender->message, 0);
    ring_send(&sender->out, sender->message, sender->size);
    ring_receive(&sender->in, sender->answer);
    if (stream_number(sender->answer) != sender->sent) fail("the server has not had every message");
}

static void drive(const struct options *options, const char *path, pid_t server, struct measurement *measurement) {
    (void)path;
    struct sender sender = {
        .in = client_reads(&stream_segment, options),
        .out = client_writes(&stream_segment, options),
        .message = stream_message(options->size),
        .answer = stream_message(MAX_PAYLOAD),
        .size = options->size,
    };
    pair_connected();
    stream_watch_server();

    measurement_plan(measurement, options, server);
    send_until(&sender, &measurement->begin, options->batch);
    wait_for_count(&sender);
    uint64_t before = sender.sent;
    measurement_start(measurement, clock_now());
    send_until(&sender, &measurement->end, options->batch);
    wait_for_count(&sender);
    measurement_finish(measurement, clock_now(), sender.sent - before);
    stream_close(&sender.out);
}

const struct workload stream_one_way = {.serve = serve, .drive = drive, .prepare = stream_prepare};
