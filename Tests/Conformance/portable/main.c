// The conformance program: every clause of ginnel_platform.h that can be seen from outside, one line each.
//
// Files in portable/ use the contract and standard C alone, so they hold for every platform; posix/ and windows/ add what only makes
// sense there, and say in their tables of suites why that is so.
#include "check.h"
#include "support.h"

static const check_suite suites[] = {
    {.name = "machine", .body = suite_machine},   {.name = "channels", .body = suite_channels}, {.name = "endings", .body = suite_endings},
    {.name = "poller", .body = suite_poller},     {.name = "edges", .body = suite_edges},       {.name = "moves", .body = suite_moves},
    {.name = "listener", .body = suite_listener}, {.name = "services", .body = suite_services}, {.name = "names", .body = suite_names},
    {.name = "process", .body = suite_process},   {.name = "programs", .body = suite_programs}, {.name = "supervision", .body = suite_supervision},
    {.name = "peer", .body = suite_peer},
    {.name = "memory", .body = suite_memory},     {.name = "doorbell", .body = suite_doorbell},
    {.name = "ways", .body = suite_ways},         {.name = "digests", .body = suite_digests},
};

/// What waits, and is done once more with pollers of the other kind.
static const check_suite waiting[] = {
    {.name = "channels", .body = suite_channels}, {.name = "endings", .body = suite_endings},   {.name = "poller", .body = suite_poller},
    {.name = "edges", .body = suite_edges},       {.name = "moves", .body = suite_moves},       {.name = "listener", .body = suite_listener},
    {.name = "services", .body = suite_services}, {.name = "doorbell", .body = suite_doorbell},
};

int main(int count, char **arguments) {
    if (count > 1 && strcmp(arguments[1], "--child") == 0) return child_main(count - 2, arguments + 2);
    check_suites(suites, sizeof suites / sizeof suites[0]);
    support_suites();
    poller_kind = GN_POLLER_SCAN;
    check_under(", in a scan");
    check_suites(waiting, sizeof waiting / sizeof waiting[0]);
    support_waiting_suites();
    return check_finish() ? 0 : 1;
}
