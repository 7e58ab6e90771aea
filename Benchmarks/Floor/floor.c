#include "floor.h"

int main(int count, char **arguments) {
    struct options options = options_parse(count, arguments);
    const struct workload *workload = &epoll_round_trip;
    if (options.work == ONE_WAY) {
        if (options.mode == EPOLL) options_refuse("the floor of one-way messages blocks");
        workload = &one_way;
    } else if (options.mode == BLOCKING) {
        workload = &blocking_round_trip;
    }
    if (workload != &epoll_round_trip && options.connections != 1)
        options_refuse("a program that blocks serves one connection; use --mode epoll");
    pair_run(&options, workload);
}
