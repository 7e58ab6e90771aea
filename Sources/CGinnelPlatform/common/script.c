// Scripted time and chance: a simulator decides what the clocks show and which numbers come of the generator.
//
// Without a script each clock and the generator ask the system after one relaxed load.
#include "../internal.h"

#include <string.h>

atomic_ullong gnp_scripted_time;
static atomic_bool is_seeded;
static atomic_ullong state;

void gn_clock_script(uint64_t nanoseconds) { atomic_store_explicit(&gnp_scripted_time, nanoseconds, memory_order_relaxed); }

void gn_random_script(uint64_t seed) {
    atomic_store_explicit(&state, seed, memory_order_relaxed);
    atomic_store_explicit(&is_seeded, seed != 0, memory_order_release);
}

/// SplitMix64.
static uint64_t next_word(void) {
    uint64_t word = atomic_fetch_add_explicit(&state, 0x9E3779B97F4A7C15u, memory_order_relaxed) + 0x9E3779B97F4A7C15u;
    word = (word ^ word >> 30) * 0xBF58476D1CE4E5B9u;
    word = (word ^ word >> 27) * 0x94D049BB133111EBu;
    return word ^ word >> 31;
}

bool gnp_random_scripted(void *bytes, size_t count) {
    if (!atomic_load_explicit(&is_seeded, memory_order_acquire)) return false;
    char *next = bytes;
    while (count > 0) {
        uint64_t word = next_word();
        size_t part = count < sizeof word ? count : sizeof word;
        memcpy(next, &word, part);
        next += part;
        count -= part;
    }
    return true;
}
