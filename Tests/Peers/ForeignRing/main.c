// ForeignRing: a program of the other system at one end of a named ring, written from docs/formats/named-ring.md and nothing else.
//
//     ForeignRing create|open NAME CAPACITY write|read SEED COUNT SHORTEST LONGEST
//     ForeignRing open NAME 0 scribble SEED COUNT 0 0
//
// It writes or expects COUNT messages whose lengths and bytes follow from SEED (Sources/GinnelTesting/Core/SeededMessages.swift), or overwrites COUNT words of the ring, header
// and all, with what a liar may write. It prints what came of it and ends with 0 when all was well. Only who creates looks at CAPACITY, and only who opens waits for the ring to appear.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { HEADER = 64, SMALLEST_SEGMENT = 4096, GIVE_UP_AFTER_SECONDS = 120 };

struct header {
    unsigned char magic[8];
    _Atomic uint64_t write_position, read_position;
    uint64_t capacity;
    uint32_t version;
    _Atomic uint32_t flags;
    uint64_t sequence, last_error, reserved;
};
_Static_assert(sizeof(struct header) == HEADER, "the header has 64 bytes");

static const unsigned char MAGIC[8] = {'L', 'A', 'P', 'C', 'I', 'P', 'C', 0};

static struct header *ring;
static unsigned char *data;
static uint64_t capacity;
static size_t mapped;

static void fail(const char *what) {
    printf("%s: %s\n", what, strerror(errno));
    exit(1);
}

/// Lets others run; ends the program when it has waited for too long.
static void look_again(const char *what) {
    static time_t began;
    if (began == 0) began = time(NULL);
    if (time(NULL) - began > GIVE_UP_AFTER_SECONDS) fail(what);
    sched_yield();
}

// MARK: The name and the segment

static void system_name(const char *name, char *path, size_t size) {
    char boot[64] = "", digits[9] = "";
    size_t count = 0;
    snprintf(path, size, "/%s", name[0] == '/' ? name + 1 : name);
    for (char *each = path + 1; *each != 0; each++) {
        if (*each == '/') *each = '_';
    }
#if defined(__linux__)
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "r");
    if (file == NULL || fgets(boot, sizeof boot, file) == NULL) fail("boot_id");
    fclose(file);
    for (char *each = boot; *each != 0 && count < 8; each++) {
        if (*each != '-') digits[count++] = *each;
    }
    strncat(path, "-", size - strlen(path) - 1);
    strncat(path, digits, size - strlen(path) - 1);
#else
    (void)boot, (void)digits, (void)count;
#endif
}

static void map(int descriptor, size_t size) {
    ring = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    if (ring == MAP_FAILED) fail("mmap");
    data = (unsigned char *)ring + HEADER;
    mapped = size;
    close(descriptor);
}

static void create_ring(const char *path, uint64_t wanted) {
    int descriptor = shm_open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
    size_t size = HEADER + wanted < SMALLEST_SEGMENT ? SMALLEST_SEGMENT : HEADER + wanted;
    if (descriptor < 0 || ftruncate(descriptor, (off_t)size) != 0) fail("shm_open");
    map(descriptor, size);
    ring->capacity = capacity = wanted;
    ring->version = 1;
    memcpy(ring->magic, MAGIC, sizeof MAGIC);
    atomic_store(&ring->flags, 1);
}

static void open_ring(const char *path) {
    struct stat status;
    int descriptor;
    while ((descriptor = shm_open(path, O_RDWR, 0)) < 0) look_again("shm_open");
    do {
        if (fstat(descriptor, &status) != 0) fail("fstat");
        if (status.st_size < HEADER) look_again("size");
    } while (status.st_size < HEADER);
    map(descriptor, (size_t)status.st_size);
    while ((atomic_load(&ring->flags) & 1) == 0 || memcmp(ring->magic, MAGIC, sizeof MAGIC) != 0) look_again("not initialised");
    capacity = ring->capacity;
    if (ring->version != 1 || capacity > mapped - HEADER) fail("the header");
}

// MARK: Records

static uint64_t put(uint64_t position, const void *bytes, uint64_t count) {
    for (uint64_t index = 0; index < count; index++) data[(position + index) % capacity] = ((const unsigned char *)bytes)[index];
    return (position + count) % capacity;
}

static uint64_t get(uint64_t position, void *bytes, uint64_t count) {
    for (uint64_t index = 0; index < count; index++) ((unsigned char *)bytes)[index] = data[(position + index) % capacity];
    return (position + count) % capacity;
}

static void put_u32(unsigned char bytes[4], uint32_t value) {
    for (int index = 0; index < 4; index++) bytes[index] = (unsigned char)(value >> 8 * index);
}

static uint32_t u32(const unsigned char bytes[4]) {
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

static void write_message(const unsigned char *bytes, uint32_t count) {
    unsigned char length[4];
    uint64_t w = atomic_load(&ring->write_position), r, available;
    for (;;) {
        r = atomic_load(&ring->read_position);
        available = w >= r ? capacity - w + r : r - w;
        if (available > 4 + (uint64_t)count) break;
        look_again("the ring is full");
    }
    put_u32(length, count);
    w = put(w, length, 4);
    w = put(w, bytes, count);
    atomic_store_explicit(&ring->write_position, w, memory_order_release);
}

static uint32_t read_message(unsigned char *bytes, uint64_t room) {
    unsigned char length[4];
    uint64_t r = atomic_load(&ring->read_position);
    while (atomic_load_explicit(&ring->write_position, memory_order_acquire) == r) look_again("the ring is empty");
    r = get(r, length, 4);
    uint32_t count = u32(length);
    if (count == 0 || count > capacity / 2 || count > room) {
        printf("a record of %u bytes\n", count);
        exit(1);
    }
    r = get(r, bytes, count);
    atomic_store_explicit(&ring->read_position, r, memory_order_release);
    return count;
}

// MARK: Messages

/// SplitMix64.
static uint64_t state;

static uint64_t next_word(void) {
    uint64_t word = state += 0x9E3779B97F4A7C15u;
    word = (word ^ word >> 30) * 0xBF58476D1CE4E5B9u;
    word = (word ^ word >> 27) * 0x94D049BB133111EBu;
    return word ^ word >> 31;
}

static uint32_t next_message(unsigned char *bytes, uint64_t shortest, uint64_t longest) {
    uint64_t count = shortest + next_word() % (longest - shortest + 1), word = 0;
    for (uint64_t index = 0; index < count; index++) {
        if (index % 8 == 0) word = next_word();
        bytes[index] = (unsigned char)(word >> 8 * (index % 8));
    }
    return (uint32_t)count;
}

/// Small numbers near the beginning and in the data, now and then a large one: what a record, a position or a header may look like.
static void scribble(uint64_t count) {
    for (uint64_t index = 0; index < count; index++) {
        uint64_t word = next_word(), place = next_word() % (next_word() % 2 ? 8 : mapped / 8);
        if (word % 4 != 0) word %= 2 * mapped;
        if (word % 3 == 0) word &= ~(uint64_t)7;
        atomic_store_explicit((_Atomic uint64_t *)ring + place, word, memory_order_relaxed);
        if (index % 64 == 0) sched_yield();
    }
}

int main(int argc, char **argv) {
    char path[512];
    if (argc != 9) return 64;
    uint64_t count = strtoull(argv[6], NULL, 10), shortest = strtoull(argv[7], NULL, 10), longest = strtoull(argv[8], NULL, 10);
    state = strtoull(argv[5], NULL, 10);
    system_name(argv[2], path, sizeof path);
    if (strcmp(argv[1], "create") == 0) create_ring(path, strtoull(argv[3], NULL, 10));
    else open_ring(path);
    if (strcmp(argv[4], "scribble") == 0) {
        scribble(count);
        return 0;
    }
    unsigned char *expected = malloc(longest), *found = malloc(longest);
    if (expected == NULL || found == NULL) fail("malloc");
    for (uint64_t index = 0; index < count; index++) {
        uint32_t length = next_message(expected, shortest, longest);
        if (strcmp(argv[4], "write") == 0) {
            write_message(expected, length);
        } else if (read_message(found, longest) != length || memcmp(found, expected, length) != 0) {
            printf("message %llu is another\n", (unsigned long long)index);
            return 1;
        }
    }
    printf("done %llu\n", (unsigned long long)count);
    return 0;
}
