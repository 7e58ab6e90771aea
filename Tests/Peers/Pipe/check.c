// Checks: see check.h. The second process has no check that runs; there a failed expectation is told on the standard error and ends the process.
#include "check.h"

#include "ginnel_platform.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

enum { LOOKS = 3000, LOOK_AGAIN = 1000000 };

static unsigned passed, failed;
static bool running;
static jmp_buf escape;
static char reason[512];

void check_fail(const char *file, int line, const char *expectation) {
    (void)snprintf(reason, sizeof reason, "%s:%d: %s", file, line, expectation);
    if (running) longjmp(escape, 1);
    (void)fprintf(stderr, "the second process: %s\n", reason);
    exit(70);
}

void check(const char *sentence, void (*body)(void)) {
    // Read again after longjmp, so they must not live in registers.
    volatile uint64_t before = open_descriptors();
    volatile bool held = false;
    running = true;
    if (setjmp(escape) == 0) {
        body();
        held = true;
    }
    running = false;
    uint64_t now = held ? open_descriptors_left(before) : 0;
    if (held && now > before) {
        (void)snprintf(reason, sizeof reason, "%llu descriptors before, %llu after", (unsigned long long)before, (unsigned long long)now);
        held = false;
    }
    if (held) {
        passed++;
        (void)printf("ok - %s\n", sentence);
    } else {
        failed++;
        (void)printf("not ok - %s (%s)\n", sentence, reason);
    }
    (void)fflush(stdout);
}

bool check_finish(void) {
    (void)printf("%u passed, %u failed\n", passed, failed);
    (void)fflush(stdout);
    return failed == 0;
}

// MARK: Descriptors

#if defined(_WIN32)

#include <windows.h>
#include <winternl.h>

/// SystemHandleInformation: all handles of the machine. Wine does not count them for a process alone.
typedef struct handle_list {
    ULONG count;
    struct {
        ULONG owner;
        BYTE type, flags;
        USHORT value;
        PVOID object;
        ULONG access;
    } each[];
} handle_list;

static VOID CALLBACK nothing(PTP_CALLBACK_INSTANCE instance, PVOID argument, PTP_WAIT wait, TP_WAIT_RESULT result) { (void)instance, (void)argument, (void)wait, (void)result; }

static VOID CALLBACK ring(PTP_CALLBACK_INSTANCE instance, PVOID argument, PTP_TIMER timer) {
    (void)instance, (void)timer;
    (void)SetEvent(argument);
}

/// Makes what a process keeps for its whole life, so that it is not counted as left behind: the thread pool with something to wait for and a timer, and the directory of named objects.
static void prepare(void) {
    static bool prepared;
    if (prepared) return;
    prepared = true;
    HANDLE never = CreateEventW(NULL, TRUE, FALSE, NULL), rung = CreateEventW(NULL, FALSE, FALSE, NULL);
    SetThreadpoolWait(CreateThreadpoolWait(nothing, NULL, NULL), never, NULL);
    FILETIME now = {0};
    SetThreadpoolTimer(CreateThreadpoolTimer(ring, rung, NULL), &now, 0, 0);
    (void)OpenEventW(SYNCHRONIZE, FALSE, L"Local\\ginnel-none");
    (void)WaitForSingleObject(rung, INFINITE);
}

static uint64_t count_all(void) {
    uint64_t ours = 0;
    for (ULONG size = 1 << 20; size <= 1 << 28; size *= 2) {
        handle_list *all = malloc(size);
        NTSTATUS status = all == NULL ? -1 : NtQuerySystemInformation((SYSTEM_INFORMATION_CLASS)16, all, size, NULL);
        for (ULONG i = 0; status == 0 && i < all->count; i++) ours += all->each[i].owner == GetCurrentProcessId();
        free(all);
        if (status == 0) return ours;
    }
    return 0;
}

#else

static void prepare(void) {}

static uint64_t count_all(void) { return 0; }

#endif

uint64_t open_descriptors(void) {
    uint64_t limit, count;
    prepare();
    gn_descriptor_limit(&limit, &count);
    return count != 0 ? count : count_all();
}

uint64_t open_descriptors_left(uint64_t before) {
    gn_poller *poller;
    gn_error error;
    gn_event event;
    size_t count;
    uint64_t now = open_descriptors();
    for (unsigned turn = 0; turn < LOOKS && now > before; turn++) {
        if (gn_poller_open(GN_POLLER_QUEUE, &poller, &error) != GN_DONE) break;
        (void)gn_poller_wait(poller, &event, 1, LOOK_AGAIN, &count, &error);
        gn_poller_close(poller);
        now = open_descriptors();
    }
    return now;
}
