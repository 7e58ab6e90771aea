// What tests ask of the operating system, for Linux and macOS.
#if defined(__linux__)
#define _GNU_SOURCE
#include <malloc.h>
#include <sched.h>
#elif defined(__APPLE__)
#include <malloc/malloc.h>
#endif

#include "test_support.h"

#if !defined(_WIN32)

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int ts_listen(const char *path) {
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof name.sun_path) return -1;
    strcpy(name.sun_path, path);
    int descriptor = ts_socket();
    if (descriptor < 0) return -1;
    if (bind(descriptor, (const struct sockaddr *)&name, sizeof name) == 0 && listen(descriptor, 16) == 0) return descriptor;
    close(descriptor);
    return -1;
}

#if !defined(__linux__)
static int kept_from_children(int descriptor) {
    if (descriptor >= 0) fcntl(descriptor, F_SETFD, FD_CLOEXEC);
    return descriptor;
}
#endif

int ts_socket(void) {
#if defined(__linux__)
    return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
#else
    return kept_from_children(socket(AF_UNIX, SOCK_STREAM, 0));
#endif
}

int ts_accept(int listener) {
#if defined(__linux__)
    return accept4(listener, NULL, NULL, SOCK_CLOEXEC);
#else
    return kept_from_children(accept(listener, NULL, NULL));
#endif
}

bool ts_pipe(int ends[2]) {
#if defined(__linux__)
    return pipe2(ends, O_CLOEXEC) == 0;
#else
    if (pipe(ends) != 0) return false;
    for (int i = 0; i < 2; i++) fcntl(ends[i], F_SETFD, FD_CLOEXEC);
    return true;
#endif
}

void ts_make_blocking(int descriptor) { fcntl(descriptor, F_SETFL, 0); }

void ts_close(int descriptor) { close(descriptor); }

size_t ts_bytes_allocated(void) {
#if defined(__GLIBC__)
    struct mallinfo2 now = mallinfo2();
    return now.uordblks + now.hblkhd;
#elif defined(__APPLE__)
    malloc_statistics_t now;
    malloc_zone_statistics(NULL, &now);
    return now.size_in_use;
#else
    return 0;
#endif
}

bool ts_become_user(unsigned user) {
    return seteuid((uid_t)user) == 0;
}

bool ts_use_one_processor(void) {
#if defined(__linux__)
    cpu_set_t allowed, one;
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return false;
    CPU_ZERO(&one);
    for (int i = 0; i < CPU_SETSIZE; i++) {
        if (!CPU_ISSET(i, &allowed)) continue;
        CPU_SET(i, &one);
        return sched_setaffinity(0, sizeof one, &one) == 0;
    }
#endif
    return false;
}

#endif

#if defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
#define SANITIZED true
#endif
#endif
#ifndef SANITIZED
#define SANITIZED false
#endif

bool ts_is_sanitized(void) { return SANITIZED; }
