// check.h: a check is a sentence and a function that stops at the first expectation that does not hold.
//
// After each check its scripted faults are removed and the open descriptors are counted: a check that passes and leaves one
// open has failed.
#ifndef CHECK_H
#define CHECK_H

#include "ginnel_platform.h"

#include <string.h>

/// Runs one check and prints its line.
void check(const char *sentence, void (*body)(void));

/// Prints the totals; true when everything has passed.
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
