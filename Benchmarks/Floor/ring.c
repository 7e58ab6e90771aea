#include "ring.h"

#include <linux/futex.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "failure.h"

static const uint32_t padding = UINT32_MAX; // the length that says: nothing here up to the end of the data

static int bell_make(void) {
    int bell = eventfd(0, EFD_CLOEXEC);
    if (bell < 0) fail_call("eventfd");
    return bell;
}

struct segment segment_make(const struct options *options) {
    struct ring *rings = mmap(NULL, 2 * sizeof(struct ring), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (rings == MAP_FAILED) fail_call("mmap");
    for (int index = 0; index < 2; index += 1) {
        rings[index].version = 1;
        rings[index].capacity = RING_CAPACITY;
        memcpy(rings[index].magic, "GINRING", 8);
    }
    struct segment segment = {.to_client = &rings[0], .to_server = &rings[1], .client_bell = -1, .server_bell = -1};
    if (options->mode == EVENTFD) {
        segment.client_bell = bell_make();
        segment.server_bell = bell_make();
    }
    return segment;
}

struct ring_end server_reads(const struct segment *segment, const struct options *options) {
    return (struct ring_end){segment->to_server, options->mode, segment->server_bell, segment->client_bell, 0, 0};
}

struct ring_end server_writes(const struct segment *segment, const struct options *options) {
    return (struct ring_end){segment->to_client, options->mode, segment->server_bell, segment->client_bell, 0, 0};
}

struct ring_end client_reads(const struct segment *segment, const struct options *options) {
    return (struct ring_end){segment->to_client, options->mode, segment->client_bell, segment->server_bell, 0, 0};
}

struct ring_end client_writes(const struct segment *segment, const struct options *options) {
    return (struct ring_end){segment->to_server, options->mode, segment->client_bell, segment->server_bell, 0, 0};
}

static void relax(void) {
#if defined __x86_64__
    __builtin_ia32_pause();
#elif defined __aarch64__
    __asm__ volatile("yield");
#endif
}

// Until somebody clears `flag`, which for a futex is the bell itself, or rings. May also return for nothing.
static void sleep_while(const struct ring_end *end, _Atomic uint32_t *flag) {
    uint64_t rings;
    if (end->mode == FUTEX)
        syscall(SYS_futex, flag, FUTEX_WAIT, 1, NULL, NULL, 0);
    else if (read(end->own_bell, &rings, sizeof rings) != sizeof rings && errno != EINTR)
        fail_call("read from a bell");
}

static void wake(const struct ring_end *end, _Atomic uint32_t *flag) {
    const uint64_t one = 1;
    if (atomic_load(flag) == 0 || atomic_exchange(flag, 0) == 0) return;
    if (end->mode == FUTEX)
        syscall(SYS_futex, flag, FUTEX_WAKE, 1, NULL, NULL, 0);
    else if (write(end->peer_bell, &one, sizeof one) != sizeof one)
        fail_call("write to a bell");
}

// Returns the counter once it is not what `end` has seen. A side that sleeps declares it, looks once more, and only then sleeps.
static uint64_t wait_for_news(const struct ring_end *end, _Atomic uint64_t *counter, _Atomic uint32_t *flag) {
    uint64_t value;
    while ((value = atomic_load_explicit(counter, memory_order_acquire)) == end->seen) {
        if (end->mode == SPINNING) {
            relax();
            continue;
        }
        atomic_store(flag, 1);
        if (atomic_load(counter) == end->seen) sleep_while(end, flag);
        atomic_store_explicit(flag, 0, memory_order_relaxed);
    }
    return value;
}

// Publishes what this side has advanced to. Who spins needs no order but release; who may have to wake somebody has to look at the flag after the store.
static void advance(const struct ring_end *end, _Atomic uint64_t *counter, _Atomic uint32_t *flag) {
    if (end->mode == SPINNING) {
        atomic_store_explicit(counter, end->own, memory_order_release);
    } else {
        atomic_store(counter, end->own);
        wake(end, flag);
    }
}

static size_t record_bytes(size_t length) { return (length + sizeof(uint32_t) + 7) & ~(size_t)7; }

void ring_send(struct ring_end *end, const void *payload, size_t length) {
    struct ring *ring = end->ring;
    size_t offset = end->own % RING_CAPACITY, bytes = record_bytes(length), unused = 0;
    if (bytes > RING_CAPACITY - offset) unused = RING_CAPACITY - offset;
    while (end->own + unused + bytes - end->seen > RING_CAPACITY)
        end->seen = wait_for_news(end, &ring->consumed, &ring->producer_waits);
    if (unused > 0) {
        memcpy(ring->data + offset, &padding, sizeof padding);
        offset = 0;
    }
    uint32_t word = (uint32_t)length;
    memcpy(ring->data + offset, &word, sizeof word);
    memcpy(ring->data + offset + sizeof word, payload, length);
    end->own += unused + bytes;
    advance(end, &ring->produced, &ring->consumer_waits);
}

size_t ring_receive(struct ring_end *end, void *payload) {
    struct ring *ring = end->ring;
    if (end->own == end->seen) end->seen = wait_for_news(end, &ring->produced, &ring->consumer_waits);
    size_t offset = end->own % RING_CAPACITY;
    uint32_t length;
    memcpy(&length, ring->data + offset, sizeof length);
    if (length == padding) {
        end->own += RING_CAPACITY - offset; // published together with the record behind it
        offset = 0;
        memcpy(&length, ring->data, sizeof length);
    }
    if (length > MAX_PAYLOAD) fail("a record announces more than a message may have");
    memcpy(payload, ring->data + offset + sizeof length, length);
    end->own += record_bytes(length);
    advance(end, &ring->consumed, &ring->producer_waits);
    return length;
}
