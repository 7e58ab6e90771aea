// ginnel_memory.h: the part of the contract that is about shared memory: segments, and doorbells that wake whoever sleeps over one.
//
// Included by ginnel_platform.h, whose rules hold here too.
#ifndef GINNEL_MEMORY_H
#define GINNEL_MEMORY_H

#include "ginnel_platform.h"

#ifdef __cplusplus
extern "C" {
#endif

// MARK: Shared memory

/// Memory that two processes have mapped for reading and writing. Ended by gn_segment_close. The bytes may be used by any thread until then.
///
/// Whoever maps a segment shares it with a peer that may write anything into it at any time. What the platform promises is only that touching the bytes is
/// safe: the segment neither shrinks nor goes away while it is mapped, and its memory is there from the beginning, so that running out of it is an error here and not a
/// signal later. The exception is a segment with a name on Linux: it is a file, which other programs of this very user may cut off.
typedef struct gn_segment gn_segment;

/// Bytes that a segment may have: 4,096 to 2^40. It begins at a page and is filled with zeros.
#define GN_SEGMENT_MINIMUM ((uint64_t)4096)
#define GN_SEGMENT_MAXIMUM ((uint64_t)1 << 40)

/// Makes a segment without a name, of exactly `size` bytes, whose size nobody can change (Linux: memfd, sealed against shrinking, growing and more seals; macOS: a name that is removed
/// before anybody learns it). Errors: NO_MEMORY, NO_DESCRIPTORS, NO_SPACE, DENIED, INVALID (`size`), UNSUPPORTED.
gn_outcome gn_segment_create(uint64_t size, gn_segment **segment, gn_error *error);

/// Maps a segment that a peer has sent. It takes the descriptor over, whatever comes of it. UNSAFE: not a segment, of another size than `size`, not sealed against shrinking and growing, or
/// not open for reading and writing. macOS gives whole pages, so there `size` may be less by a part of one. Other errors: NO_MEMORY, NO_SPACE, DENIED, INVALID (`size`).
gn_outcome gn_segment_adopt(gn_handle handle, uint64_t size, gn_segment **segment, gn_error *error);

/// Makes a segment with a name, which must not exist. `name` is what the system sees, 1 to gn_segment_name_limit() bytes without a slash (the slash that POSIX wants in front is added here).
/// Readable and writable for this user alone. The name lives until gn_segment_remove, on Windows until the last mapping is closed. Errors: EXISTS, NO_MEMORY, NO_DESCRIPTORS,
/// NO_SPACE (Linux: /dev/shm is full), DENIED, NAME_TOO_LONG, INVALID, UNSUPPORTED.
gn_outcome gn_segment_create_named(const char *name, uint64_t size, gn_segment **segment, gn_error *error);

/// Maps an existing segment of this user, whole (macOS: rounded up to pages). UNSAFE: another user's, open to others, or no segment. Other errors: NOT_FOUND, NO_MEMORY, NO_SPACE
/// (Linux: it has holes, and /dev/shm is full), NO_DESCRIPTORS, DENIED, NAME_TOO_LONG, INVALID (the name, or a size outside the limits, as one has that is only just being made).
gn_outcome gn_segment_open_named(const char *name, gn_segment **segment, gn_error *error);

/// Removes a name; those who have mapped the segment keep it. Errors: NOT_FOUND, DENIED, NAME_TOO_LONG, INVALID. On Windows it only checks the name, since the last mapping removes it.
gn_outcome gn_segment_remove(const char *name, gn_error *error);

/// Bytes a segment's name may have (254 on Linux, 30 on macOS, where the slash takes one of 31).
size_t gn_segment_name_limit(void);

void *gn_segment_bytes(gn_segment *segment);
uint64_t gn_segment_size(const gn_segment *segment);

/// The descriptor of a segment without a name, to be sent to the peer; owned by the segment. GN_NO_HANDLE when it has none any more.
gn_handle gn_segment_handle(const gn_segment *segment);
/// Closes that descriptor; the mapping stays.
void gn_segment_let_go(gn_segment *segment);

void gn_segment_close(gn_segment *segment);

/// 16 hexadecimal digits or more that change with each boot of the machine and contain no dash (Linux: /proc/sys/kernel/random/boot_id; macOS: kern.bootsessionuuid).
/// Errors: NOT_FOUND, OTHER, INVALID (a capacity under 33).
gn_outcome gn_boot_id(char *text, size_t capacity, gn_error *error);

// MARK: Looking

/// Tells the processor that the caller looks at memory again and again. Any thread.
static inline void gn_relax(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

// MARK: Doorbells

/// Wakes a peer that sleeps. Either of two kinds, which the platform chooses: an object of its own that travels to the peer as a descriptor (Linux: eventfd), or one byte on the channel that both
/// keep (elsewhere). A doorbell is rung from one side and heard on the other. Ended by gn_doorbell_close.
typedef struct gn_doorbell gn_doorbell;

/// Descriptors that one doorbell is on this platform: 1, or 0 where it rings through the channel.
size_t gn_doorbell_handles(void);

/// Makes a doorbell. `channel` is the one that leads to the peer and must outlive it. Errors: NO_DESCRIPTORS, NO_MEMORY.
gn_outcome gn_doorbell_create(gn_channel *channel, gn_doorbell **doorbell, gn_error *error);

/// Takes over a doorbell that the peer has made; `handle` is GN_NO_HANDLE where it has none. It takes the descriptor over, whatever comes of it. Errors: UNSAFE (a descriptor of another kind),
/// NO_MEMORY.
gn_outcome gn_doorbell_adopt(gn_handle handle, gn_channel *channel, gn_doorbell **doorbell, gn_error *error);

/// The descriptor to be sent to the peer, owned by the doorbell, or GN_NO_HANDLE.
gn_handle gn_doorbell_handle(const gn_doorbell *doorbell);

/// Rings. Any thread; never blocks, whatever the peer does with its end; many rings may become one. A peer that is gone is no error.
void gn_doorbell_ring(gn_doorbell *doorbell);

void gn_doorbell_close(gn_doorbell *doorbell);

/// Each ring after this is reported as READABLE | WRITABLE, and a ring before it too. A doorbell without a descriptor is heard through its channel, which
/// must have been added with the same token: as READABLE, and only as long as somebody reads the bytes.
gn_outcome gn_poller_add_doorbell(gn_poller *poller, gn_doorbell *doorbell, uint64_t token, gn_error *error);
void gn_poller_remove_doorbell(gn_poller *poller, gn_doorbell *doorbell);

#ifdef __cplusplus
}
#endif

#endif
