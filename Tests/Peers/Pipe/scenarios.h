// scenarios.h: what the two processes are put through, each one a check, and the figures that are told at the end.
#ifndef SCENARIOS_H
#define SCENARIOS_H

#include <stdint.h>

/// Tagged JSON and envelopes over the socket or pipe.
void scenarios_of_texts(void);
/// Streams of shared memory.
void scenarios_of_memory(void);

/// Round trips and rates of both, told on lines of their own.
void measure(void);

#endif
