// pipe-peer: two processes that speak Ginnel's formats over the platform layer alone, in C, on every platform.
//
//     pipe-peer RING.TXT           checks the ring against its vectors, goes through the scenarios and tells figures
//     pipe-peer serve|join …       the second process, which the first one starts: see roles.c
//
// It shares nothing with the library above the layer: framing, ring and opening are written from the pages that describe them, so that what the two have in common is the pages.
#include "check.h"
#include "roles.h"
#include "scenarios.h"
#include "vectors.h"

#include <stdio.h>

int main(int count, char **arguments) {
    if (count > 2) return role_main(count - 1, arguments + 1);
    if (count != 2) {
        (void)fprintf(stderr, "pipe-peer RING.TXT\n");
        return 64;
    }
    vectors_path = arguments[1];
    role_warm_up();
    check("the ring holds after each step what its vectors say", vectors_follow);
    scenarios_of_texts();
    scenarios_of_memory();
    measure();
    return check_finish() ? 0 : 1;
}
