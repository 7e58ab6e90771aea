// arm.c: both checksums with the CRC32 extension of 64-bit ARM processors, which every one made for version 8.1 or later has.
//
// Where the target promises the extension (Apple's does), nothing is asked. On Linux the kernel's hardware capabilities tell. On
// Windows only a system call would, so the tables are used there.
#include "crc.h"

#ifdef GINNEL_CRC_ARM

#include <string.h>

#if defined(__linux__) && !defined(__ARM_FEATURE_CRC32)
#include <sys/auxv.h>
#endif

int ginnel_crc_probe(void) {
#if defined(__ARM_FEATURE_CRC32)
    return 1;
#elif defined(__linux__)
    const unsigned long crc32_bit = 1UL << 7;
    return (getauxval(AT_HWCAP) & crc32_bit) != 0;
#else
    return 0;
#endif
}

#include <arm_acle.h>

#define COUNTING __attribute__((target("+crc")))

COUNTING uint32_t ginnel_crc32c_by_instruction(uint32_t state, const uint8_t *bytes, size_t count) {
    for (; count >= 8; bytes += 8, count -= 8) {
        uint64_t word;
        memcpy(&word, bytes, 8);
        state = __crc32cd(state, word);
    }
    for (; count > 0; bytes++, count--) state = __crc32cb(state, *bytes);
    return state;
}

COUNTING uint32_t ginnel_crc32_by_instruction(uint32_t state, const uint8_t *bytes, size_t count) {
    for (; count >= 8; bytes += 8, count -= 8) {
        uint64_t word;
        memcpy(&word, bytes, 8);
        state = __crc32d(state, word);
    }
    for (; count > 0; bytes++, count--) state = __crc32b(state, *bytes);
    return state;
}

#else
typedef int ginnel_no_arm_here; // An empty file is no C.
#endif
