// sha256.h: SHA-256 (FIPS 180-4) of bytes that come in pieces. In C, because a build for debugging of the same in Swift takes seconds for a program's file.
#ifndef PROCESS_MONITOR_SHA256_H
#define PROCESS_MONITOR_SHA256_H

#include <stddef.h>
#include <stdint.h>

typedef struct sha256_state {
    uint32_t words[8];
    uint64_t count;
    uint8_t block[64];
} sha256_state;

sha256_state sha256_begin(void);
void sha256_add(sha256_state *state, const void *bytes, size_t count);
void sha256_end(sha256_state *state, uint8_t digest[32]);

#endif
