// The ring against its vectors: each step is done here, and then all bytes of the ring are compared with what the file says. Its head says what the lines mean.
#include "vectors.h"

#include "check.h"
#include "ring.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE = 16384, LARGEST = 4096, LONGEST = 8192 };

const char *vectors_path;

/// The ring that is being followed: its memory, what that should hold, and which of its bytes matter.
static struct followed {
    _Alignas(64) uint8_t memory[RING_CONTROL + LARGEST];
    uint8_t expected[RING_CONTROL + LARGEST];
    bool unsaid[RING_CONTROL + LARGEST];
    struct ring producer, consumer;
    bool over;  ///< after a violation
} followed;

static uint8_t pattern(uint64_t index) { return (uint8_t)(7 * index + 3); }

static uint64_t digit(char character) { return (uint64_t)(character <= '9' ? character - '0' : character - 'a' + 10); }

/// Writes the bytes of a text in hexadecimal and returns how many they are.
static size_t put_hex(uint8_t *bytes, size_t room, const char *hex) {
    size_t count = strlen(hex) / 2;
    EXPECT(count <= room);
    for (size_t i = 0; i < count; i++) bytes[i] = (uint8_t)(digit(hex[2 * i]) << 4 | digit(hex[2 * i + 1]));
    return count;
}

static void compare(void) {
    size_t size = RING_CONTROL + followed.producer.capacity;
    for (size_t i = 0; i < size && !followed.over; i++) EXPECT(followed.unsaid[i] || followed.memory[i] == followed.expected[i]);
}

static void begin(uint64_t capacity, uint64_t start) {
    EXPECT(capacity <= LARGEST);
    memset(&followed, 0, sizeof followed);
    ring_make(followed.memory, capacity, start);
    EXPECT(ring_is(followed.memory, capacity) && !ring_is(followed.memory, capacity * 2));
    followed.producer = followed.consumer = ring_begin(followed.memory, capacity, start);
}

static void write_record(uint64_t count, uint64_t first, const char *result, const char *bell) {
    static const char *const names[] = {[RING_DONE] = "fits", [RING_NONE] = "full", [RING_TOO_LONG] = "long", [RING_VIOLATION] = "violation"};
    static uint8_t payload[LONGEST];
    bool rings;
    EXPECT(count <= LONGEST);
    for (uint64_t i = 0; i < count; i++) payload[i] = pattern(first + i);
    ring_result found = ring_write(&followed.producer, payload, count, &rings);
    EXPECT(strcmp(names[found], result) == 0 && strcmp(rings ? "rings" : "silent", bell) == 0);
    followed.over = found == RING_VIOLATION;
}

static void read_record(const char *what, const char *first, const char *bell) {
    uint8_t payload[LARGEST];
    uint64_t count = 0;
    bool rings;
    ring_result found = ring_read(&followed.consumer, payload, sizeof payload, &count, &rings);
    followed.over = found == RING_VIOLATION;
    if (strcmp(what, "violation") == 0) EXPECT(found == RING_VIOLATION);
    else if (strcmp(what, "none") == 0) EXPECT(found == RING_NONE && !rings);
    else {
        EXPECT(found == RING_DONE && count == strtoull(what, NULL, 10) && strcmp(rings ? "rings" : "silent", bell) == 0);
        for (uint64_t i = 0; i < count; i++) EXPECT(payload[i] == pattern(strtoull(first, NULL, 10) + i));
    }
}

static void wait_for(const char *who) {
    if (strcmp(who, "producer") == 0) EXPECT(ring_waits_for_room(&followed.producer));
    else EXPECT(ring_waits_for_record(&followed.consumer));
}

/// What a step has changed, or the other side writes.
static void note(const char *kind, const char *place, const char *what) {
    size_t offset = strtoull(place, NULL, 10);
    EXPECT(offset < sizeof followed.memory);
    if (strcmp(kind, "any") == 0) {
        size_t count = strtoull(what, NULL, 10);
        EXPECT(count <= sizeof followed.memory - offset);
        memset(followed.unsaid + offset, true, count);
        return;
    }
    size_t count = put_hex(followed.expected + offset, sizeof followed.expected - offset, what);
    memset(followed.unsaid + offset, false, count);
    if (strcmp(kind, "peer") == 0) memcpy(followed.memory + offset, followed.expected + offset, count);
}

/// One line, cut at its spaces; the words that are not there are empty.
static bool follow(char *line) {
    char *words[5] = {"", "", "", "", ""};
    size_t count = 0;
    for (char *word = strtok(line, " \r\n"); word != NULL && count < 5; word = strtok(NULL, " \r\n")) words[count++] = word;
    if (count == 0 || words[0][0] == '#') return false;
    if (strcmp(words[0], "at") == 0 || strcmp(words[0], "any") == 0) {
        note(words[0], words[1], words[2]);
        return false;
    }
    // The bytes of the step before are all named now.
    if (followed.producer.capacity != 0) compare();
    if (strcmp(words[0], "ring") == 0) begin(strtoull(words[2], NULL, 10), strtoull(words[3], NULL, 10));
    else if (strcmp(words[0], "write") == 0) write_record(strtoull(words[1], NULL, 10), strtoull(words[2], NULL, 10), words[3], words[4]);
    else if (strcmp(words[0], "read") == 0) read_record(words[1], words[2], words[3]);
    else if (strcmp(words[0], "wait") == 0) wait_for(words[1]);
    else if (strcmp(words[0], "peer") == 0) note(words[0], words[1], words[2]);
    else check_fail(__FILE__, __LINE__, "a line of a known kind");
    return true;
}

void vectors_follow(void) {
    static char line[LINE];
    unsigned steps = 0;
    memset(&followed, 0, sizeof followed);
    FILE *file = fopen(vectors_path, "rb");
    EXPECT(file != NULL);
    while (fgets(line, sizeof line, file) != NULL) steps += follow(line);
    compare();
    (void)fclose(file);
    EXPECT(steps > 100);
}
