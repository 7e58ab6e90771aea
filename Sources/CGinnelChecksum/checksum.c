// checksum.c: the public functions. Each picks the fastest way that this processor has.
//
// The answer of the probe is kept in one relaxed atomic. Two threads that ask at the same time both probe and store the same word.
#include "crc.h"

#include <stdatomic.h>

#if defined(GINNEL_CRC_X86) || defined(GINNEL_CRC_ARM)
static int accelerated(void) {
    enum { unknown, no, yes };
    static _Atomic int known = unknown;
    int answer = atomic_load_explicit(&known, memory_order_relaxed);
    if (answer == unknown) {
        answer = ginnel_crc_probe() ? yes : no;
        atomic_store_explicit(&known, answer, memory_order_relaxed);
    }
    return answer == yes;
}
#endif

uint32_t ginnel_crc_accelerated(void) {
#if defined(GINNEL_CRC_X86) || defined(GINNEL_CRC_ARM)
    return accelerated() ? 3 : 0;
#else
    return 0;
#endif
}

uint32_t ginnel_crc32c(uint32_t checksum, const void *bytes, size_t count) {
#if defined(GINNEL_CRC_X86) || defined(GINNEL_CRC_ARM)
    if (accelerated()) return ~ginnel_crc32c_by_instruction(~checksum, bytes, count);
#endif
    return ginnel_crc32c_table(checksum, bytes, count);
}

uint32_t ginnel_crc32(uint32_t checksum, const void *bytes, size_t count) {
#if defined(GINNEL_CRC_X86) || defined(GINNEL_CRC_ARM)
    if (accelerated()) return ~ginnel_crc32_by_instruction(~checksum, bytes, count);
#endif
    return ginnel_crc32_table(checksum, bytes, count);
}

uint32_t ginnel_crc32c_table(uint32_t checksum, const void *bytes, size_t count) {
    return ~ginnel_crc_by_table(&ginnel_crc_castagnoli, ~checksum, bytes, count);
}

uint32_t ginnel_crc32_table(uint32_t checksum, const void *bytes, size_t count) {
    return ~ginnel_crc_by_table(&ginnel_crc_ieee, ~checksum, bytes, count);
}
