// ginnel_digest.h: the part of the contract that is about SHA-256, by which programs are told apart, and about the files that it is taken of.
//
// Included by ginnel_platform.h, whose rules hold here too.
#ifndef GINNEL_DIGEST_H
#define GINNEL_DIGEST_H

#include "ginnel_platform.h"

#ifdef __cplusplus
extern "C" {
#endif

// MARK: Bytes

/// A SHA-256 (FIPS 180-4) that is not finished: a value, which may be copied. Nobody looks inside.
typedef struct gn_sha256_state {
    uint32_t words[8];
    uint64_t total;       ///< bytes added so far
    uint8_t block[64];    ///< the bytes of an unfinished block
} gn_sha256_state;

void gn_sha256_begin(gn_sha256_state *state);
void gn_sha256_add(gn_sha256_state *state, const void *bytes, size_t count);
/// Of all that was added; nothing can be added after that.
void gn_sha256_end(gn_sha256_state *state, uint8_t digest[32]);

/// SHA-256 of `count` bytes. Any thread.
void gn_sha256(const void *bytes, size_t count, uint8_t digest[32]);

// MARK: Files

/// Opens a file for reading, from its beginning; links are followed. To be closed with gn_handle_close. May block as long as the file system does, and waits for no other process: what stands
/// for a device, a pipe or a socket is INVALID. Errors: NOT_FOUND, DENIED (Windows: a directory among other things), INVALID (no regular file; a directory, elsewhere), BUSY (somebody holds it),
/// NAME_TOO_LONG, NO_DESCRIPTORS, NO_MEMORY, OTHER.
gn_outcome gn_file_open(const char *path, gn_handle *file, gn_error *error);

/// Reads on, up to `capacity` (at least 1) bytes. GN_DONE: `*count` is at least 1. GN_END: there is no more. Blocks. Errors: OTHER, and what the file system has to say of
/// files that it makes up as they are read (BUSY, INVALID, DENIED).
gn_outcome gn_file_read(gn_handle file, void *bytes, size_t capacity, size_t *count, gn_error *error);

#ifdef __cplusplus
}
#endif

#endif
