// The check framework: see check.h.
#include "check.h"
#include "support.h"

#include <setjmp.h>
#include <stdio.h>

static unsigned passed, failed;
static jmp_buf escape;
static char reason[512];

void check_fail(const char *file, int line, const char *expectation) {
    (void)snprintf(reason, sizeof reason, "%s:%d: %s", file, line, expectation);
    longjmp(escape, 1);
}

void check(const char *sentence, void (*body)(void)) {
    // Read again after longjmp, so they must not live in registers.
    volatile uint64_t before = 0;
    before = support_open_descriptors();
    support_time_limit(60);
    volatile bool held = false;
    if (setjmp(escape) == 0) {
        body();
        held = true;
    }
    support_time_limit(0);
    gn_fault_clear();
    uint64_t now = support_open_descriptors();
    if (held && now != before) {
        (void)snprintf(reason, sizeof reason, "%llu descriptors before, %llu after", (unsigned long long)before, (unsigned long long)now);
        held = false;
    }
    if (held) {
        passed++;
        (void)printf("ok - %s\n", sentence);
    } else {
        failed++;
        (void)printf("not ok - %s (%s)\n", sentence, reason);
    }
    (void)fflush(stdout);
}

bool check_finish(void) {
    (void)printf("%u passed, %u failed\n", passed, failed);
    return failed == 0;
}
