// The ring itself: see ring.h. The names of the fields are those of the page's table.
#include "ring.h"

#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

static const uint8_t magic[8] = {'G', 'I', 'N', 'R', 'I', 'N', 'G', 0};

static const uint32_t padding_record = UINT32_MAX;

typedef struct control_block {
    uint8_t magic[8];
    uint32_t version, flags;
    uint64_t capacity;
    uint8_t reserved_1[104];
    _Atomic uint64_t produced;
    _Atomic uint32_t producer_waits;
    uint8_t reserved_2[116];
    _Atomic uint64_t consumed;
    _Atomic uint32_t consumer_waits;
    uint8_t reserved_3[244];
} control_block;
_Static_assert(sizeof(control_block) == RING_CONTROL, "the control block has 512 bytes");
_Static_assert(offsetof(control_block, produced) == 128 && offsetof(control_block, consumed) == 256, "and its counters lie where the page says");

static control_block *block_of(const struct ring *ring) { return (control_block *)(void *)ring->control; }

static uint8_t *data_of(const struct ring *ring) { return ring->control + RING_CONTROL; }

void ring_make(uint8_t *control, uint64_t capacity, uint64_t start) {
    control_block *block = (control_block *)(void *)control;
    block->version = 1;
    block->capacity = capacity;
    atomic_store(&block->produced, start);
    atomic_store(&block->consumed, start);
    atomic_thread_fence(memory_order_release);
    memcpy(block->magic, magic, sizeof magic);
}

bool ring_is(const uint8_t *control, uint64_t capacity) {
    const control_block *block = (const control_block *)(const void *)control;
    return memcmp(block->magic, magic, sizeof magic) == 0 && block->version == 1 && block->capacity == capacity;
}

struct ring ring_begin(uint8_t *control, uint64_t capacity, uint64_t start) {
    return (struct ring){.control = control, .capacity = capacity, .produced = start, .consumed = start};
}

uint64_t ring_longest(const struct ring *ring) { return ring->capacity / 2 - 4; }

static uint64_t record_bytes(uint64_t count) { return (4 + count + 7) & ~(uint64_t)7; }

/// Whoever has published looks whether the other side sleeps, and rings once.
static bool take(_Atomic uint32_t *waits) { return atomic_load(waits) == 1 && atomic_exchange(waits, 0) == 1; }

/// One load of a word that the other side may be writing to.
static uint32_t word_at(const struct ring *ring, uint64_t offset) {
    return atomic_load_explicit((_Atomic uint32_t *)(void *)(data_of(ring) + offset), memory_order_relaxed);
}

static void put_word(const struct ring *ring, uint64_t offset, uint32_t word) { memcpy(data_of(ring) + offset, &word, sizeof word); }

// MARK: The producer

/// Takes note of what the consumer has given back; it never takes anything back itself.
static bool note_consumed(struct ring *ring) {
    uint64_t consumed = atomic_load(&block_of(ring)->consumed);
    uint64_t used = ring->produced - consumed;
    if (used % 8 != 0 || used > ring->produced - ring->consumed) return false;
    ring->consumed = consumed;
    return true;
}

ring_result ring_write(struct ring *ring, const void *bytes, uint64_t count, bool *rings) {
    *rings = false;
    if (count > ring_longest(ring)) return RING_TOO_LONG;
    if (!note_consumed(ring)) return RING_VIOLATION;
    uint64_t offset = ring->produced % ring->capacity, record = record_bytes(count);
    uint64_t left = ring->capacity - offset, skipped = record <= left ? 0 : left;
    if (skipped + record > ring->capacity - (ring->produced - ring->consumed)) return RING_NONE;
    if (skipped > 0) {
        put_word(ring, offset, padding_record);
        offset = 0;
    }
    put_word(ring, offset, (uint32_t)count);
    if (count > 0) memcpy(data_of(ring) + offset + 4, bytes, count);
    ring->produced += skipped + record;
    atomic_store(&block_of(ring)->produced, ring->produced);
    *rings = take(&block_of(ring)->consumer_waits);
    return RING_DONE;
}

bool ring_waits_for_room(struct ring *ring) {
    uint64_t before = ring->consumed;
    atomic_store(&block_of(ring)->producer_waits, 1);
    return atomic_load(&block_of(ring)->consumed) == before;
}

// MARK: The consumer

static bool note_produced(struct ring *ring) {
    uint64_t produced = atomic_load(&block_of(ring)->produced);
    uint64_t published = produced - ring->consumed;
    if (published % 8 != 0 || published > ring->capacity || published < ring->produced - ring->consumed) return false;
    ring->produced = produced;
    return true;
}

static bool give_back(struct ring *ring, uint64_t count) {
    ring->consumed += count;
    atomic_store(&block_of(ring)->consumed, ring->consumed);
    return take(&block_of(ring)->producer_waits);
}

ring_result ring_read(struct ring *ring, void *bytes, uint64_t room, uint64_t *count, bool *rings) {
    uint64_t skipped = 0;
    *rings = false;
    if (!note_produced(ring)) return RING_VIOLATION;
    // Padding comes before a record, and never twice: behind it lies the beginning.
    for (;;) {
        uint64_t published = ring->produced - ring->consumed - skipped;
        uint64_t offset = (ring->consumed + skipped) % ring->capacity, left = ring->capacity - offset;
        if (published == 0) {
            if (skipped > 0) *rings = give_back(ring, skipped);
            return RING_NONE;
        }
        uint32_t length = word_at(ring, offset);
        if (length == padding_record) {
            if (left >= ring->capacity / 2 || left > published) return RING_VIOLATION;
            skipped += left;
            continue;
        }
        if (length > ring_longest(ring) || record_bytes(length) > published || record_bytes(length) > left) return RING_VIOLATION;
        if (length > room) return RING_TOO_LONG;
        if (length > 0) memcpy(bytes, data_of(ring) + offset + 4, length);
        *count = length;
        *rings = give_back(ring, skipped + record_bytes(length));
        return RING_DONE;
    }
}

bool ring_waits_for_record(struct ring *ring) {
    atomic_store(&block_of(ring)->consumer_waits, 1);
    return atomic_load(&block_of(ring)->produced) == ring->consumed;
}
