// check.h: a check is a sentence and a function that stops at the first expectation that does not hold.
//
// After each check its scripted faults are removed and the open descriptors are counted: a check that passes and leaves one
// open has failed.
//
// What is printed is for people and for scripts/conformance_table.py, which lays the output of two platforms side by side: a line for each clause, as in
// the Test Anything Protocol ("ok - sentence", "not ok - sentence", "ok - sentence # SKIP reason"), and before them "# suite NAME" and, where a suite
// is for this platform alone, "# only here REASON" and "# elsewhere NAME".
#ifndef CHECK_H
#define CHECK_H

#include "ginnel_platform.h"

#include <string.h>

/// Checks about one matter. One that is for this platform alone says why the others cannot have it.
typedef struct check_suite {
    const char *name;
    void (*body)(void);
    const char *only_here;  ///< the reason, or NULL: it holds for every platform
    const char *elsewhere;  ///< the suite of the other platform about the same matter, or NULL
} check_suite;

void check_suites(const check_suite *suites, size_t count);

/// What is put behind the sentence of each check from now on; "" at first.
void check_under(const char *circumstance);

/// Runs one check and prints its line.
void check(const char *sentence, void (*body)(void));

/// Ends the running check without an outcome: it asks for what this run has not. To be called before anything has been made, or when all of it is gone again.
_Noreturn void check_skip(const char *why);

/// Prints what was skipped, and the totals; true when everything has passed.
bool check_finish(void);

/// Ends the running check. Only on the thread that runs it.
_Noreturn void check_fail(const char *file, int line, const char *expectation);

#define EXPECT(expectation) \
    do { \
        if (!(expectation)) check_fail(__FILE__, __LINE__, #expectation); \
    } while (0)

/// Expects an outcome of GN_FAILED with a code.
#define EXPECT_CODE(outcome, error, expected) EXPECT((outcome) == GN_FAILED && (error).code == (expected))

#endif
