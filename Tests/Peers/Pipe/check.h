// check.h: a check is a sentence and a function that stops at the first expectation that does not hold. Descriptors are counted before and after each:
// none may be left. There may be fewer, since the system's thread pool gives up threads, and what they have open, when it likes.
#ifndef CHECK_H
#define CHECK_H

#include <stdbool.h>
#include <stdint.h>

void check(const char *sentence, void (*body)(void));
/// Prints the totals; true when everything has passed.
bool check_finish(void);
/// Ends the running check, or this process where none runs.
_Noreturn void check_fail(const char *file, int line, const char *expectation);

/// Descriptors or handles that this process has open; 0 where that cannot be told.
uint64_t open_descriptors(void);
/// As open_descriptors, once there are no more than `before`, or after so long that what is still there will stay: what was closed with bytes on their way ends a little later.
uint64_t open_descriptors_left(uint64_t before);

#define EXPECT(expectation) \
    do { \
        if (!(expectation)) check_fail(__FILE__, __LINE__, #expectation); \
    } while (0)

#endif
