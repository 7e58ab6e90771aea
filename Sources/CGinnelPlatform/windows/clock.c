// Clocks, processor time and random bytes.
//
// The performance counter goes on while the machine sleeps; the unbiased interrupt time stands still. Its precise form came with Windows 10; the older one moves in
// steps of the system's tick.
#include "win32.h"

#if defined(_WIN32)

#include <bcrypt.h>
#include <string.h>

typedef VOID(WINAPI *precise_clock)(PULONGLONG);

/// The precise clock, or NULL where the system has none. Looked up once; two threads that do it at the same time find the same.
static precise_clock precise(void) {
    static atomic_int looked_up;
    static _Atomic(precise_clock) found;
    if (atomic_load_explicit(&looked_up, memory_order_acquire) == 0) {
        HMODULE library = GetModuleHandleW(L"kernelbase.dll");
        FARPROC address = library == NULL ? NULL : GetProcAddress(library, "QueryUnbiasedInterruptTimePrecise");
        precise_clock clock;
        memcpy(&clock, &address, sizeof clock);
        atomic_store_explicit(&found, clock, memory_order_relaxed);
        atomic_store_explicit(&looked_up, 1, memory_order_release);
    }
    return atomic_load_explicit(&found, memory_order_relaxed);
}

uint64_t gn_clock_awake(void) {
    uint64_t scripted = gnp_time_scripted();
    if (scripted != 0) return scripted;
    ULONGLONG ticks = 0;
    precise_clock clock = precise();
    if (clock != NULL) clock(&ticks);
    else (void)QueryUnbiasedInterruptTime(&ticks);
    return ticks * 100;
}

uint64_t gn_clock_continuous(void) {
    uint64_t scripted = gnp_time_scripted();
    if (scripted != 0) return scripted;
    LARGE_INTEGER frequency, now;
    (void)QueryPerformanceFrequency(&frequency);
    (void)QueryPerformanceCounter(&now);
    uint64_t per_second = (uint64_t)frequency.QuadPart, count = (uint64_t)now.QuadPart;
    // In two parts, so that nothing overflows.
    return count / per_second * 1000000000u + count % per_second * 1000000000u / per_second;
}

uint64_t gn_clock_processor(void) {
    FILETIME created, ended, kernel, user;
    if (!GetProcessTimes(GetCurrentProcess(), &created, &ended, &kernel, &user)) return 0;
    uint64_t low = (uint64_t)kernel.dwLowDateTime + user.dwLowDateTime, high = (uint64_t)kernel.dwHighDateTime + user.dwHighDateTime;
    return (low + (high << 32)) * 100;
}

gn_outcome gn_random(void *bytes, size_t count, gn_error *error) {
    if (gnp_random_scripted(bytes, count)) return GN_DONE;
    for (uint8_t *next = bytes; count > 0;) {
        ULONG part = count < 1 << 20 ? (ULONG)count : 1 << 20;
        NTSTATUS status = gnp_fails("BCryptGenRandom") ? (NTSTATUS)GetLastError() : BCryptGenRandom(NULL, next, part, BCRYPT_USE_SYSTEM_PREFERRED_RNG);
        if (status != 0) return gnp_fail(error, GN_CODE_OTHER, status, "BCryptGenRandom");
        next += part;
        count -= part;
    }
    return GN_DONE;
}

#endif
