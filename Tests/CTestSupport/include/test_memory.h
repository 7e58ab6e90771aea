// test_memory.h: shared memory and doorbells as a program in another language makes and uses them, from docs/shared-memory.md alone: for peers that a test plays by hand. Linux only.
#ifndef TEST_MEMORY_H
#define TEST_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// Whether this system has memory and doorbells that travel as descriptors.
bool ts_has_memory(void);

/// What is wrong with a segment, for ts_memory.
enum { TS_SOUND = 0, TS_UNSEALED = 1, TS_READ_ONLY = 2, TS_SEALED_AGAINST_WRITING = 4 };

/// Memory of `size` bytes without a name; `label` is what /proc says. -1 when it cannot be had.
int ts_memory(const char *label, size_t size, int faults);

/// A doorbell with this counter, 2^64 - 2 for one as it should be.
int ts_bell(uint64_t counter);

/// The mapping of a segment, or NULL.
void *ts_map(int descriptor, size_t size);
void ts_unmap(void *bytes, size_t size);

/// Rings; whether it could.
bool ts_ring(int bell);

/// Something to wait on for a bell and for whatever comes on a socket; -1 when that fails.
int ts_watch(int bell, int socket);
/// Waits up to so many milliseconds for a ring or the socket; how many events, 0 when nothing came.
int ts_wait(int watch, int milliseconds);

/// One write with descriptors, and one read that keeps those that come, at most `room`. As send and recv besides.
ssize_t ts_send(int socket, const void *bytes, size_t count, const int *descriptors, size_t descriptor_count);
ssize_t ts_receive(int socket, void *bytes, size_t capacity, int *descriptors, size_t room, size_t *descriptor_count);

/// Whether the other side of a socket has ended, and nothing of what it said is unread.
bool ts_has_ended(int socket);

/// Counters and flags in shared memory, sequentially consistent.
uint64_t ts_load(const void *address);
void ts_store(void *address, uint64_t value);
uint32_t ts_exchange_flag(void *address, uint32_t value);

#endif
