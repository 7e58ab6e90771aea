// The digest of a program's file. It is a stranger's file, so it is read up to a limit, whatever size it claims to have.
#include "../internal.h"

#include <stdlib.h>

enum { PORTION = 65536 };

bool gnp_digest_program(gn_handle file, uint8_t digest[32]) {
    char *portion = gnp_allocate(PORTION);
    if (portion == NULL) return false;
    gn_sha256_state hash;
    gn_error error;
    uint64_t total = 0;
    size_t count = 0;
    gn_outcome outcome;
    gn_sha256_begin(&hash);
    while ((outcome = gn_file_read(file, portion, PORTION, &count, &error)) == GN_DONE) {
        total += count;
        if (total > GN_DIGEST_LIMIT) break;
        gn_sha256_add(&hash, portion, count);
    }
    gn_sha256_end(&hash, digest);
    free(portion);
    return outcome == GN_END;
}
