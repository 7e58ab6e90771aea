// The check framework: see check.h. Reasons and sentences are literals, and are kept by their addresses.
#include "check.h"
#include "support.h"

#include <setjmp.h>
#include <stdio.h>

enum { FAILED = 1, SKIPPED };

static unsigned passed, failed, skipped_count;
static jmp_buf escape;
static char reason[512];
static const char *skip_reason;
static const char *circumstance = "";
static struct skipped { const char *sentence, *reason; } skipped[64];

void check_under(const char *given) { circumstance = given; }

void check_suites(const check_suite *suites, size_t count) {
    for (size_t i = 0; i < count; i++) {
        (void)printf("# suite %s%s\n", suites[i].name, circumstance);
        if (suites[i].only_here != NULL) (void)printf("# only here %s\n", suites[i].only_here);
        if (suites[i].elsewhere != NULL) (void)printf("# elsewhere %s\n", suites[i].elsewhere);
        suites[i].body();
    }
}

static void note_skipped(const char *sentence, const char *why) {
    (void)printf("ok - %s%s # SKIP %s\n", sentence, circumstance, why);
    if (skipped_count < sizeof skipped / sizeof skipped[0]) skipped[skipped_count] = (struct skipped){sentence, why};
    skipped_count++;
}

void check_fail(const char *file, int line, const char *expectation) {
    (void)snprintf(reason, sizeof reason, "%s:%d: %s", file, line, expectation);
    longjmp(escape, FAILED);
}

void check_skip(const char *why) {
    skip_reason = why;
    longjmp(escape, SKIPPED);
}

void check(const char *sentence, void (*body)(void)) {
    const char *difference = support_difference(sentence);
    if (difference != NULL) {
        note_skipped(sentence, difference);
        return;
    }
    // Read again after longjmp, so they must not live in registers.
    volatile uint64_t before = 0;
    before = support_open_descriptors();
    support_time_limit(60);
    volatile bool held = false;
    volatile bool left_out = false;
    switch (setjmp(escape)) {
    case 0:
        body();
        held = true;
        break;
    case SKIPPED:
        left_out = held = true;
        break;
    default:
        break;
    }
    support_time_limit(0);
    gn_fault_clear();
    uint64_t now = support_open_descriptors();
    if (held && now != before) {
        (void)snprintf(reason, sizeof reason, "%llu descriptors before, %llu after", (unsigned long long)before, (unsigned long long)now);
        held = false;
    }
    if (held && left_out) {
        note_skipped(sentence, skip_reason);
    } else if (held) {
        passed++;
        (void)printf("ok - %s%s\n", sentence, circumstance);
    } else {
        failed++;
        (void)printf("not ok - %s%s # %s\n", sentence, circumstance, reason);
    }
    (void)fflush(stdout);
}

bool check_finish(void) {
    failed += support_unknown_differences();
    if (skipped_count > 0) (void)printf("# skipped, and why:\n");
    for (size_t i = 0; i < skipped_count && i < sizeof skipped / sizeof skipped[0]; i++) (void)printf("#   %s: %s\n", skipped[i].sentence, skipped[i].reason);
    (void)printf("%u passed, %u failed, %u skipped\n", passed, failed, skipped_count);
    return failed == 0;
}
