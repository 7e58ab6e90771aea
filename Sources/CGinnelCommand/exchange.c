// The floor under every latency of local IPC: two processes, a socket pair, one write and one read on each side for a round trip, both of which block.
//
// It frames nothing, checks nothing and allocates nothing, so what it takes is what the kernel takes.
#if defined(__linux__) && !defined(_GNU_SOURCE)
#define _GNU_SOURCE
#endif
#include "ginnel_command.h"

#include <errno.h>

#if !defined(_WIN32)

#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LARGEST = 1 << 20 };

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static bool send_all(int descriptor, const char *bytes, size_t size) {
    while (size > 0) {
        ssize_t count = write(descriptor, bytes, size);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return false;
        bytes += count;
        size -= (size_t)count;
    }
    return true;
}

/// False at the end of the stream, with errno 0, and after an error.
static bool receive_all(int descriptor, char *bytes, size_t size) {
    while (size > 0) {
        ssize_t count = read(descriptor, bytes, size);
        if (count < 0 && errno == EINTR) continue;
        if (count == 0) errno = 0;
        if (count <= 0) return false;
        bytes += count;
        size -= (size_t)count;
    }
    return true;
}

/// The second process: sends back what it reads until the other end is closed. Only calls what is safe after a fork.
static _Noreturn void echo(int descriptor, char *bytes, const gnc_exchange *exchange) {
    if (exchange->second >= 0 && gnc_run_thread_on(exchange->second) != 0) _exit(1);
    while (receive_all(descriptor, bytes, exchange->size) && send_all(descriptor, bytes, exchange->size)) continue;
    _exit(0);
}

static int drive(int descriptor, char *bytes, const gnc_exchange *exchange, void (*record)(void *, uint64_t), void *context) {
    uint64_t before = now(), counted_from = before + exchange->warm_up_ns, end = counted_from + exchange->duration_ns;
    while (before < end) {
        if (!send_all(descriptor, bytes, exchange->size)) return errno;
        if (!receive_all(descriptor, bytes, exchange->size)) return errno != 0 ? errno : ECONNRESET;
        uint64_t after = now();
        if (before >= counted_from) record(context, after - before);
        before = after;
    }
    return 0;
}

int gnc_exchange_run(const gnc_exchange *exchange, void (*record)(void *context, uint64_t nanoseconds), void *context) {
    if (exchange->size == 0 || exchange->size > LARGEST) return EINVAL;
    char *bytes = calloc(1, exchange->size);
    if (bytes == NULL) return ENOMEM;
    int ends[2] = {-1, -1};
    int native = socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0 ? 0 : errno;
    pid_t second = -1;
    if (native == 0 && (second = fork()) < 0) native = errno;
    if (second == 0) {
        close(ends[0]);
        echo(ends[1], bytes, exchange);
    }
    if (ends[1] >= 0) close(ends[1]);
    if (native == 0 && exchange->first >= 0) native = gnc_run_on(exchange->first);
    if (native == 0) native = drive(ends[0], bytes, exchange, record, context);
    // The second process reads the end of the stream and leaves.
    if (ends[0] >= 0) close(ends[0]);
    while (second > 0 && waitpid(second, NULL, 0) < 0 && errno == EINTR) continue;
    free(bytes);
    return native;
}

#endif
