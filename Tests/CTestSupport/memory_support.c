// The other side of a ring, made by hand.
#if defined(__linux__)
#define _GNU_SOURCE
#endif

#include "test_memory.h"

#if defined(__linux__)

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

bool ts_has_memory(void) { return true; }

int ts_memory(const char *label, size_t size, int faults) {
    int descriptor = memfd_create(label, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (descriptor < 0) return -1;
    int seals = (faults & TS_UNSEALED ? 0 : F_SEAL_SHRINK | F_SEAL_GROW) | (faults & TS_SEALED_AGAINST_WRITING ? F_SEAL_WRITE : 0);
    if (ftruncate(descriptor, (off_t)size) != 0 || fcntl(descriptor, F_ADD_SEALS, seals) != 0) {
        close(descriptor);
        return -1;
    }
    if (faults & TS_READ_ONLY) {
        char path[64];
        (void)snprintf(path, sizeof path, "/proc/self/fd/%d", descriptor);
        int reopened = open(path, O_RDONLY | O_CLOEXEC);
        close(descriptor);
        return reopened;
    }
    return descriptor;
}

int ts_bell(uint64_t counter) {
    int descriptor = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE);
    if (descriptor >= 0 && counter > 0 && write(descriptor, &counter, sizeof counter) != (ssize_t)sizeof counter) {
        close(descriptor);
        return -1;
    }
    return descriptor;
}

void *ts_map(int descriptor, size_t size) {
    void *bytes = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    return bytes == MAP_FAILED ? NULL : bytes;
}

void ts_unmap(void *bytes, size_t size) { munmap(bytes, size); }

bool ts_ring(int bell) {
    uint64_t taken;
    return read(bell, &taken, sizeof taken) == (ssize_t)sizeof taken;
}

int ts_watch(int bell, int socket) {
    int watch = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event rung = {.events = EPOLLOUT | EPOLLET}, said = {.events = EPOLLIN | EPOLLRDHUP | EPOLLET};
    if (watch >= 0 && epoll_ctl(watch, EPOLL_CTL_ADD, bell, &rung) == 0 && epoll_ctl(watch, EPOLL_CTL_ADD, socket, &said) == 0) return watch;
    if (watch >= 0) close(watch);
    return -1;
}

int ts_wait(int watch, int milliseconds) {
    struct epoll_event events[2];
    int count = epoll_wait(watch, events, 2, milliseconds);
    return count < 0 ? 0 : count;
}

enum { MOST = 32 };

ssize_t ts_send(int socket, const void *bytes, size_t count, const int *descriptors, size_t descriptor_count) {
    union {
        char room[CMSG_SPACE(MOST * sizeof(int))];
        struct cmsghdr aligned;
    } control;
    struct iovec part = {.iov_base = (void *)bytes, .iov_len = count};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (descriptor_count > MOST) return -1;
    if (descriptor_count > 0) {
        memset(&control, 0, sizeof control);
        message.msg_control = control.room;
        message.msg_controllen = CMSG_SPACE(descriptor_count * sizeof(int));
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        *header = (struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(descriptor_count * sizeof(int))};
        memcpy(CMSG_DATA(header), descriptors, descriptor_count * sizeof(int));
    }
    return sendmsg(socket, &message, MSG_NOSIGNAL);
}

ssize_t ts_receive(int socket, void *bytes, size_t capacity, int *descriptors, size_t room, size_t *descriptor_count) {
    union {
        char room[CMSG_SPACE(MOST * sizeof(int))];
        struct cmsghdr aligned;
    } control;
    struct iovec part = {.iov_base = bytes, .iov_len = capacity};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control.room, .msg_controllen = sizeof control.room};
    *descriptor_count = 0;
    ssize_t got = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    if (got < 0) return got;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header != NULL; header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
        size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t index = 0; index < count; index++) {
            int descriptor;
            memcpy(&descriptor, CMSG_DATA(header) + index * sizeof(int), sizeof descriptor);
            if (*descriptor_count < room) descriptors[(*descriptor_count)++] = descriptor;
            else close(descriptor);
        }
    }
    return got;
}

bool ts_has_ended(int socket) {
    char byte;
    ssize_t got = recv(socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR);
}

uint64_t ts_load(const void *address) { return atomic_load((const _Atomic uint64_t *)address); }
void ts_store(void *address, uint64_t value) { atomic_store((_Atomic uint64_t *)address, value); }
uint32_t ts_exchange_flag(void *address, uint32_t value) { return atomic_exchange((_Atomic uint32_t *)address, value); }

#else

#include <errno.h>
#include <sys/socket.h>

bool ts_has_memory(void) { return false; }
int ts_memory(const char *label, size_t size, int faults) { return (void)label, (void)size, (void)faults, -1; }
int ts_bell(uint64_t counter) { return (void)counter, -1; }
void *ts_map(int descriptor, size_t size) { return (void)descriptor, (void)size, NULL; }
void ts_unmap(void *bytes, size_t size) { (void)bytes, (void)size; }
bool ts_ring(int bell) { return (void)bell, false; }
int ts_watch(int bell, int socket) { return (void)bell, (void)socket, -1; }
int ts_wait(int watch, int milliseconds) { return (void)watch, (void)milliseconds, 0; }
ssize_t ts_send(int socket, const void *bytes, size_t count, const int *descriptors, size_t descriptor_count) {
    (void)descriptors;
    if (descriptor_count > 0) return errno = ENOTSUP, -1;
    return send(socket, bytes, count, 0);
}
ssize_t ts_receive(int socket, void *bytes, size_t capacity, int *descriptors, size_t room, size_t *descriptor_count) {
    (void)descriptors, (void)room;
    *descriptor_count = 0;
    return recv(socket, bytes, capacity, 0);
}
bool ts_has_ended(int socket) { return (void)socket, true; }
uint64_t ts_load(const void *address) { return *(const volatile uint64_t *)address; }
void ts_store(void *address, uint64_t value) { *(volatile uint64_t *)address = value; }
uint32_t ts_exchange_flag(void *address, uint32_t value) { return __atomic_exchange_n((uint32_t *)address, value, __ATOMIC_SEQ_CST); }

#endif
