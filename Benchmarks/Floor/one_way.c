// One-way messages: the client writes as fast as the socket takes them, a batch with each writev(2), header and payload
// of every message in places of their own as a sender has them that does not copy. The server reads as much as there is
// and walks the headers.
//
// The server counts, since only what has arrived counts: before and after the measured time the client asks for the
// number, and the time runs from one answer to the next. A one-way message has no answer, so there are no latencies.
#include <sys/uio.h>
#include <unistd.h>

#include "failure.h"
#include "floor.h"
#include "frame.h"
#include "sockets.h"

enum { MAX_BATCH = 64 };

struct sender {
    int descriptor;
    int batch;
    uint64_t sent;
    uint64_t writes;
    struct frame_header headers[MAX_BATCH];
    struct iovec parts[2 * MAX_BATCH];
};

// Counts the whole messages among the first `have` bytes, answers a request for the number, and returns how many bytes
// that used up.
static size_t walk(const uint8_t *bytes, size_t have, int descriptor, uint64_t *count) {
    size_t used = 0;
    while (have - used >= sizeof(struct frame_header)) {
        struct frame_header header;
        memcpy(&header, bytes + used, sizeof header);
        if (header.length > MAX_PAYLOAD) fail("a header announces more than a message may have");
        if (have - used < sizeof header + header.length) break;
        used += sizeof header + header.length;
        if (header.kind == FRAME_COUNT) {
            struct frame_header answer = {.kind = FRAME_COUNT, .id = *count};
            frame_send(descriptor, (const uint8_t *)&answer);
        } else if (header.id != ++*count) {
            fail("a message is missing or out of order");
        }
    }
    return used;
}

static void serve(const struct options *options, const char *path) {
    (void)options;
    int listener = socket_listen(path);
    pair_ready();
    int descriptor = socket_accept(listener, true);
    struct inbox inbox;
    inbox_open(&inbox);
    uint64_t messages = 0;
    for (;;) {
        ssize_t count = read(descriptor, inbox.bytes + inbox.have, INBOX_SIZE - inbox.have);
        if (count < 0) fail_call("read");
        if (count == 0) return;
        inbox.have += (size_t)count;
        size_t used = walk(inbox.bytes, inbox.have, descriptor, &messages);
        inbox.have -= used;
        memmove(inbox.bytes, inbox.bytes + used, inbox.have);
    }
}

static void send_batch(struct sender *sender) {
    size_t length = 0;
    for (int index = 0; index < sender->batch; index += 1) {
        sender->headers[index].id = ++sender->sent;
        length += sizeof(struct frame_header) + sender->headers[index].length;
    }
    sender->writes += 1;
    ssize_t count = writev(sender->descriptor, sender->parts, 2 * sender->batch);
    if (count < 0) fail_call("writev");
    if ((size_t)count != length) fail("a write was cut short");
}

// Returns once everything sent has been received and counted.
static void wait_for_count(struct sender *sender, struct inbox *inbox) {
    struct frame_header question = {.kind = FRAME_COUNT}, answer;
    frame_send(sender->descriptor, (const uint8_t *)&question);
    enum arrival arrival;
    while ((arrival = inbox_read(inbox, sender->descriptor)) == PARTIAL) continue;
    if (arrival == CLOSED) fail("the server closed the connection");
    memcpy(&answer, inbox->bytes, sizeof answer);
    if (answer.id != sender->sent) fail("the server has not had every message");
}

static void drive(const struct options *options, const char *path, pid_t server, struct measurement *measurement) {
    struct sender sender = {.descriptor = socket_connect(path, true), .batch = options->batch};
    pair_connected();
    uint8_t *message = frame_make(options->size);
    for (int index = 0; index < sender.batch; index += 1) {
        sender.headers[index] = (struct frame_header){.length = (uint32_t)options->size, .kind = FRAME_MESSAGE};
        sender.parts[2 * index] = (struct iovec){&sender.headers[index], sizeof(struct frame_header)};
        sender.parts[2 * index + 1] = (struct iovec){message + sizeof(struct frame_header), options->size};
    }
    struct inbox inbox;
    inbox_open(&inbox);

    measurement_plan(measurement, options, server);
    while (clock_now() < measurement->begin) send_batch(&sender);
    wait_for_count(&sender, &inbox);
    uint64_t before = sender.sent, writes = sender.writes;
    measurement_start(measurement, clock_now());
    while (clock_now() < measurement->end) send_batch(&sender);
    wait_for_count(&sender, &inbox);
    measurement_finish(measurement, clock_now(), sender.sent - before);
    measurement->writes = sender.writes - writes;
    close(sender.descriptor);
}

const struct workload one_way = {.serve = serve, .drive = drive};
