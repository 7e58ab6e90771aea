#include "floor.h"

static bool is_stream(const struct options *options) { return options->work == STREAM_ECHO || options->work == STREAM_ONE_WAY; }
static bool waits_for_ring(const struct options *options) { return options->mode >= SPINNING; }

// What no program could measure, or none that would be worth comparing with.
static void check(const struct options *options) {
    if (is_stream(options) != waits_for_ring(options)) options_refuse("streams wait by spinning, futex or eventfd, the other work by blocking or epoll");
    if (is_stream(options) && options->size < sizeof(uint64_t)) options_refuse("a message of a stream begins with its number, 8 bytes");
    if (options->mode == SPINNING && options->placement == ONE_CPU) options_refuse("who spins on the only CPU keeps the other side from answering");
    if (options->work == ONE_WAY && options->mode == EPOLL) options_refuse("the floor of one-way messages blocks");
    if (options->mode != EPOLL && options->connections != 1) options_refuse("only --mode epoll serves more than one connection");
    if (options->pace != 0 && options->work != STREAM_ECHO && !(options->work == ROUND_TRIP && options->mode == BLOCKING))
        options_refuse("only round trips on one connection that blocks, and echoes of a stream, keep a pace");
}

static const struct workload *workload_for(const struct options *options) {
    switch (options->work) {
    case ROUND_TRIP: return options->mode == EPOLL ? &epoll_round_trip : &blocking_round_trip;
    case ONE_WAY: return &one_way;
    case STREAM_ECHO: return &stream_echo;
    case STREAM_ONE_WAY: return &stream_one_way;
    case PROTOBUF_ENCODE: case PROTOBUF_DECODE: break;
    }
    options_refuse("there is no such work");
}

int main(int count, char **arguments) {
    struct options options = options_parse(count, arguments);
    check(&options);
    pair_run(&options, workload_for(&options));
}
