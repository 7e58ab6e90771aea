// The shortest exchange two processes can have over a socket: one write and one read each, both of which block.
#include <unistd.h>

#include "failure.h"
#include "floor.h"
#include "frame.h"
#include "pace.h"
#include "sockets.h"

static enum arrival receive(struct inbox *inbox, int descriptor) {
    enum arrival arrival;
    while ((arrival = inbox_read(inbox, descriptor)) == PARTIAL) continue;
    return arrival;
}

static void serve(const struct options *options, const char *path) {
    (void)options;
    int listener = socket_listen(path);
    pair_ready();
    int descriptor = socket_accept(listener, true);
    struct inbox inbox;
    inbox_open(&inbox);
    while (receive(&inbox, descriptor) == ARRIVED) frame_send(descriptor, inbox.bytes);
}

static void drive(const struct options *options, const char *path, pid_t server, struct measurement *measurement) {
    int descriptor = socket_connect(path, true);
    pair_connected();
    struct inbox inbox;
    inbox_open(&inbox);
    uint8_t *request = frame_make(options->size);

    measurement_plan(measurement, options, server);
    struct pace pace = pace_start(options);
    uint64_t before, now = clock_now(), id = 0;
    do {
        before = pace_next(&pace, now);
        frame_set_id(request, ++id);
        frame_send(descriptor, request);
        if (receive(&inbox, descriptor) != ARRIVED) fail("the server closed the connection");
        frame_check_echo(request, inbox.bytes, id);
        now = clock_now();
    } while (measurement_record(measurement, now, now - before));
    close(descriptor);
}

const struct workload blocking_round_trip = {.serve = serve, .drive = drive};
