// Round trips on any number of connections, one request in flight on each: one epoll loop a side, sockets that do not
// block, one read and one write a message. This is the exchange that an event-driven library has under it.
#include <sys/epoll.h>
#include <unistd.h>

#include "failure.h"
#include "floor.h"
#include "frame.h"
#include "sockets.h"

enum { EVENTS = 256 }; // taken from the kernel at once

struct connection {
    int descriptor;
    struct inbox inbox;
    uint64_t id;      // of the request in flight
    uint64_t sent_at; // when it was
};

static int poller_open(void) {
    int poller = epoll_create1(EPOLL_CLOEXEC);
    if (poller < 0) fail_call("epoll_create1");
    return poller;
}

static void poller_add(int poller, struct connection *connection, int descriptor) {
    connection->descriptor = descriptor;
    inbox_open(&connection->inbox);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, descriptor, &event) != 0) fail_call("epoll_ctl");
}

static int poller_wait(int poller, struct epoll_event *events) {
    int count = epoll_wait(poller, events, EVENTS, -1);
    if (count < 0 && errno != EINTR) fail_call("epoll_wait");
    return count;
}

static struct connection *connections_make(int count) {
    struct connection *connections = calloc((size_t)count, sizeof *connections);
    if (connections == NULL) fail_call("calloc");
    return connections;
}

static void serve(const struct options *options, const char *path) {
    int listener = socket_listen(path), poller = poller_open(), open = options->connections;
    struct connection *connections = connections_make(open);
    pair_ready();
    for (int index = 0; index < open; index += 1)
        poller_add(poller, &connections[index], socket_accept(listener, false));

    struct epoll_event events[EVENTS];
    while (open > 0) {
        int count = poller_wait(poller, events);
        for (int index = 0; index < count; index += 1) {
            struct connection *connection = events[index].data.ptr;
            enum arrival arrival = inbox_read(&connection->inbox, connection->descriptor);
            if (arrival == ARRIVED) frame_send(connection->descriptor, connection->inbox.bytes);
            if (arrival == CLOSED) {
                close(connection->descriptor);
                open -= 1;
            }
        }
    }
}

static void send_next(struct connection *connection, uint8_t *request, uint64_t now) {
    connection->sent_at = now;
    connection->id += 1;
    frame_set_id(request, connection->id);
    frame_send(connection->descriptor, request);
}

// One turn of the client's loop: takes what has arrived and sends the next request on the same connection or, when the
// time is up, closes it. Returns how many were closed.
static int turn(int poller, uint8_t *request, struct measurement *measurement) {
    struct epoll_event events[EVENTS];
    int count = poller_wait(poller, events), closed = 0;
    for (int index = 0; index < count; index += 1) {
        struct connection *connection = events[index].data.ptr;
        enum arrival arrival = inbox_read(&connection->inbox, connection->descriptor);
        if (arrival == CLOSED) fail("the server closed a connection");
        if (arrival == PARTIAL) continue;
        frame_check_echo(request, connection->inbox.bytes, connection->id);
        uint64_t now = clock_now();
        if (measurement_record(measurement, now, now - connection->sent_at)) {
            send_next(connection, request, now);
        } else {
            close(connection->descriptor);
            closed += 1;
        }
    }
    return closed;
}

static void drive(const struct options *options, const char *path, pid_t server, struct measurement *measurement) {
    int poller = poller_open();
    struct connection *connections = connections_make(options->connections);
    for (int index = 0; index < options->connections; index += 1)
        poller_add(poller, &connections[index], socket_connect(path, false));
    pair_connected();

    uint8_t *request = frame_make(options->size);
    measurement_plan(measurement, options, server);
    for (int index = 0; index < options->connections; index += 1)
        send_next(&connections[index], request, clock_now());
    for (int open = options->connections; open > 0;) open -= turn(poller, request, measurement);
}

const struct workload epoll_round_trip = {.serve = serve, .drive = drive};
