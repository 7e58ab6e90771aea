// The conformance program: every clause of ginnel_platform.h that can be seen from outside, one line each.
//
// Files in portable/ use the contract and standard C alone, so they hold for every platform; posix/ and windows/ add what only makes
// sense there.
#include "check.h"
#include "support.h"

int main(int count, char **arguments) {
    if (count > 1 && strcmp(arguments[1], "--child") == 0) return child_main(count - 2, arguments + 2);
    suite_machine();
    suite_channels();
    suite_poller();
    suite_listener();
    suite_process();
    suite_peer();
    suite_memory();
    suite_doorbell();
    suite_ways();
    support_suites();
    return check_finish() ? 0 : 1;
}
