// x86.c: both checksums with the instructions of x86-64 processors made since 2011: PCLMULQDQ for long runs, CRC32 for short ones.
//
// A run of bytes is a polynomial over GF(2). Multiplying 128 bits of it by x^512 modulo the CRC's polynomial moves them 64 bytes ahead
// without changing the checksum, so four registers can walk through the bytes side by side, are then folded into one, and the 16 bytes that
// are left have the checksum of all that was folded. Bits are reflected: the first byte holds the highest powers, and a product comes
// out shifted by one, for which the constants make up. Neither instruction needs support from the operating system, so CPUID suffices.
#include "crc.h"

#ifdef GINNEL_CRC_X86

#include <cpuid.h>
#include <immintrin.h>
#include <string.h>

#define FOLDING __attribute__((target("sse2,pclmul")))
#define COUNTING __attribute__((target("sse4.2")))

/// For a move by so many bits: x^(bits + 32) for the first 8 bytes of a register and x^(bits - 32) for the others, modulo the polynomial.
struct multipliers {
    int64_t by512[2];
    int64_t by128[2];
};
static const struct multipliers ieee = {{0x154442bd4, 0x1c6e41596}, {0x1751997d0, 0x0ccaa009e}};
static const struct multipliers castagnoli = {{0x0740eef02, 0x09e4addf8}, {0x0f20c0dfe, 0x14cd00bd6}};

/// From here on folding is faster than what comes one step after the other. Not below 64.
enum { ieee_threshold = 64, castagnoli_threshold = 256 };

int ginnel_crc_probe(void) {
    unsigned a, b, c, d;
    return __get_cpuid(1, &a, &b, &c, &d) && (c & bit_SSE4_2) && (c & bit_PCLMUL);
}

FOLDING static inline __m128i load(const uint8_t *bytes) { return _mm_loadu_si128((const __m128i *)(const void *)bytes); }

FOLDING static inline __m128i moved(__m128i value, __m128i multiplier, __m128i onto) {
    __m128i first = _mm_clmulepi64_si128(value, multiplier, 0x00);
    __m128i second = _mm_clmulepi64_si128(value, multiplier, 0x11);
    return _mm_xor_si128(_mm_xor_si128(first, second), onto);
}

/// Folds as many whole 16-byte groups as there are, at least four, into `rest`, and returns how many bytes they were.
FOLDING static size_t fold(const struct multipliers *by, uint32_t state, const uint8_t *bytes, size_t count, uint8_t rest[16]) {
    const uint8_t *at = bytes, *end = bytes + (count & ~(size_t)15);
    __m128i far = _mm_set_epi64x(by->by512[1], by->by512[0]);
    __m128i near = _mm_set_epi64x(by->by128[1], by->by128[0]);
    __m128i a = _mm_xor_si128(load(at), _mm_cvtsi32_si128((int)state));
    __m128i b = load(at + 16), c = load(at + 32), d = load(at + 48);
    for (at += 64; end - at >= 64; at += 64) {
        a = moved(a, far, load(at));
        b = moved(b, far, load(at + 16));
        c = moved(c, far, load(at + 32));
        d = moved(d, far, load(at + 48));
    }
    a = moved(moved(moved(a, near, b), near, c), near, d);
    for (; at < end; at += 16) a = moved(a, near, load(at));
    _mm_storeu_si128((__m128i *)(void *)rest, a);
    return (size_t)(at - bytes);
}

COUNTING static uint32_t by_instruction(uint32_t state, const uint8_t *bytes, size_t count) {
    uint64_t wide = state;
    for (; count >= 8; bytes += 8, count -= 8) {
        uint64_t word;
        memcpy(&word, bytes, 8);
        wide = _mm_crc32_u64(wide, word);
    }
    state = (uint32_t)wide;
    for (; count > 0; bytes++, count--) state = _mm_crc32_u8(state, *bytes);
    return state;
}

uint32_t ginnel_crc32c_by_instruction(uint32_t state, const uint8_t *bytes, size_t count) {
    if (count >= castagnoli_threshold) {
        uint8_t rest[16];
        size_t done = fold(&castagnoli, state, bytes, count, rest);
        state = by_instruction(0, rest, 16);
        bytes += done;
        count -= done;
    }
    return by_instruction(state, bytes, count);
}

uint32_t ginnel_crc32_by_instruction(uint32_t state, const uint8_t *bytes, size_t count) {
    if (count >= ieee_threshold) {
        uint8_t rest[16];
        size_t done = fold(&ieee, state, bytes, count, rest);
        state = ginnel_crc_by_table(&ginnel_crc_ieee, 0, rest, 16);
        bytes += done;
        count -= done;
    }
    return ginnel_crc_by_table(&ginnel_crc_ieee, state, bytes, count);
}

#else
typedef int ginnel_no_x86_here; // An empty file is no C.
#endif
