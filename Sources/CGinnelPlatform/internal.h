// internal.h: what every platform's half of CGinnelPlatform shares and the contract does not show.
//
// Names that begin with gnp_ are private to this target.
#ifndef GNP_INTERNAL_H
#define GNP_INTERNAL_H

#include "include/ginnel_platform.h"

#include <stdatomic.h>

/// Fills in the error and returns GN_FAILED, so that a failure is one return statement.
static inline gn_outcome gnp_fail(gn_error *error, gn_code code, int32_t native, const char *operation) {
    *error = (gn_error){.code = code, .native = native, .operation = operation};
    return GN_FAILED;
}

// MARK: Scripted faults

/// How many fault scripts are active. Zero outside tests, so the checks below cost one relaxed load.
extern atomic_uint gnp_faults_active;

/// Asks the scripts about one call. Scripts with a native code of 0 answer only when `shorten` is asked for, others only when not.
bool gnp_fault_take(const char *operation, bool shorten, int32_t *native);

/// True when this call must fail with `*native` instead of reaching the kernel.
static inline bool gnp_fault(const char *operation, int32_t *native) {
    return atomic_load_explicit(&gnp_faults_active, memory_order_relaxed) != 0 && gnp_fault_take(operation, false, native);
}

/// True when this read or write must move one byte at most.
static inline bool gnp_fault_shortens(const char *operation) {
    int32_t native;
    return atomic_load_explicit(&gnp_faults_active, memory_order_relaxed) != 0 && gnp_fault_take(operation, true, &native);
}

// MARK: Scripted time and chance

/// What the clocks show; 0 outside simulations, so the check costs one relaxed load.
extern atomic_ullong gnp_scripted_time;

static inline uint64_t gnp_time_scripted(void) { return (uint64_t)atomic_load_explicit(&gnp_scripted_time, memory_order_relaxed); }

/// Fills the bytes from the script; false where there is none.
bool gnp_random_scripted(void *bytes, size_t count);

// MARK: Memory and files

/// Zeroed memory, or NULL with the system's own error set.
void *gnp_allocate(size_t size);

/// SHA-256 of what there is to read of a program's file; false when it cannot be read or has more than GN_DIGEST_LIMIT bytes.
bool gnp_digest_program(gn_handle file, uint8_t digest[32]);

#endif
