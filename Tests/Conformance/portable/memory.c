// Shared memory: segments that are sent, and segments that have a name.
#include "check.h"
#include "support.h"

#include <stdio.h>
#include <stdlib.h>

enum { SIZE = 1 << 20, ODD_SIZE = 3 * 4096 + 512 };

void segment_name(char name[SEGMENT_NAME]) {
    uint64_t number;
    gn_error error;
    EXPECT(gn_random(&number, sizeof number, &error) == GN_DONE);
    (void)snprintf(name, SEGMENT_NAME, "gn-%016llx", (unsigned long long)number);
}

gn_segment *segment_create(uint64_t size) {
    gn_segment *segment;
    gn_error error;
    EXPECT(gn_segment_create(size, &segment, &error) == GN_DONE);
    EXPECT(gn_segment_size(segment) == size && gn_segment_bytes(segment) != NULL);
    return segment;
}

/// One segment, mapped by both ends of a pair.
struct both {
    struct ends ends;
    gn_segment *made, *adopted;
};

static void both_make(struct both *both, uint64_t size) {
    gn_error error;
    ends_pair(&both->ends);
    gn_channel_accept_handles(both->ends.b);
    both->made = segment_create(size);
    gn_handle handle = ends_pass(&both->ends, gn_segment_handle(both->made));
    EXPECT(gn_segment_adopt(handle, size, &both->adopted, &error) == GN_DONE);
    EXPECT(gn_segment_size(both->adopted) == size);
}

static void both_finish(struct both *both) {
    if (both->made != NULL) gn_segment_close(both->made);
    if (both->adopted != NULL) gn_segment_close(both->adopted);
    ends_finish(&both->ends);
}

static bool all_zero(gn_segment *segment) {
    const char *bytes = gn_segment_bytes(segment);
    for (uint64_t i = 0; i < gn_segment_size(segment); i++) {
        if (bytes[i] != 0) return false;
    }
    return true;
}

// MARK: Without a name

static void zeros(void) {
    static const uint64_t sizes[] = {GN_SEGMENT_MINIMUM, GN_SEGMENT_MINIMUM + 1, ODD_SIZE, SIZE, 8 * SIZE};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        gn_segment *segment = segment_create(sizes[i]);
        EXPECT((uintptr_t)gn_segment_bytes(segment) % 4096 == 0);
        EXPECT(all_zero(segment));
        memset(gn_segment_bytes(segment), 0xff, sizes[i]);
        gn_segment_close(segment);
    }
}

static void shared_both_ways(void) {
    struct both both;
    both_make(&both, ODD_SIZE);
    EXPECT(gn_segment_bytes(both.made) != gn_segment_bytes(both.adopted) && all_zero(both.adopted));
    char *first = gn_segment_bytes(both.made), *second = gn_segment_bytes(both.adopted);
    memcpy(first, "there", 6);
    memcpy(second + ODD_SIZE - 5, "back", 5);
    EXPECT(strcmp(second, "there") == 0 && strcmp(first + ODD_SIZE - 5, "back") == 0);
    both_finish(&both);
}

static void outlives_its_maker(void) {
    struct both both;
    both_make(&both, SIZE);
    memset(gn_segment_bytes(both.made), 'x', SIZE);
    gn_segment_close(both.made);
    both.made = NULL;
    const char *bytes = gn_segment_bytes(both.adopted);
    for (size_t i = 0; i < SIZE; i++) EXPECT(bytes[i] == 'x');
    both_finish(&both);
}

static void let_go(void) {
    uint64_t limit, before, with, without;
    gn_descriptor_limit(&limit, &before);
    gn_segment *segment = segment_create(SIZE);
    EXPECT(gn_segment_handle(segment) != GN_NO_HANDLE);
    gn_descriptor_limit(&limit, &with);
    gn_segment_let_go(segment);
    gn_descriptor_limit(&limit, &without);
    EXPECT(gn_segment_handle(segment) == GN_NO_HANDLE);
    EXPECT(before == 0 || (with == before + 1 && without == before));
    memset(gn_segment_bytes(segment), 1, SIZE);
    gn_segment_let_go(segment);
    gn_segment_close(segment);
}

static void another_size(void) {
    // So far from the truth that whole pages are no excuse.
    static const uint64_t wrong[] = {SIZE / 2, SIZE - 65536, SIZE + 65536, 2 * SIZE, GN_SEGMENT_MAXIMUM};
    struct ends ends;
    gn_segment *adopted;
    gn_error error;
    ends_pair(&ends);
    gn_channel_accept_handles(ends.b);
    gn_segment *segment = segment_create(SIZE);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        gn_handle handle = ends_pass(&ends, gn_segment_handle(segment));
        EXPECT_CODE(gn_segment_adopt(handle, wrong[i], &adopted, &error), error, GN_CODE_UNSAFE);
    }
    EXPECT_CODE(gn_segment_adopt(GN_NO_HANDLE, SIZE, &adopted, &error), error, GN_CODE_UNSAFE);
    gn_segment_close(segment);
    ends_finish(&ends);
}

static void outside_the_limits(void) {
    static const uint64_t wrong[] = {0, 1, GN_SEGMENT_MINIMUM - 1, GN_SEGMENT_MAXIMUM + 1, UINT64_MAX / 2, UINT64_MAX};
    struct ends ends;
    gn_segment *none;
    gn_error error;
    char name[SEGMENT_NAME];
    segment_name(name);
    ends_pair(&ends);
    gn_channel_accept_handles(ends.b);
    gn_segment *segment = segment_create(SIZE);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        EXPECT_CODE(gn_segment_create(wrong[i], &none, &error), error, GN_CODE_INVALID);
        EXPECT_CODE(gn_segment_create_named(name, wrong[i], &none, &error), error, GN_CODE_INVALID);
        gn_handle handle = ends_pass(&ends, gn_segment_handle(segment));
        EXPECT_CODE(gn_segment_adopt(handle, wrong[i], &none, &error), error, GN_CODE_INVALID);
    }
    EXPECT_CODE(gn_segment_open_named(name, &none, &error), error, GN_CODE_NOT_FOUND);
    gn_segment_close(segment);
    ends_finish(&ends);
}

static void wrong_numbers(void) {
    static const gn_handle wrong[] = {-1, -2, 0x7ffffff0, (gn_handle)1 << 40, INTPTR_MAX, INTPTR_MIN};
    gn_segment *none;
    gn_error error;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) EXPECT_CODE(gn_segment_adopt(wrong[i], SIZE, &none, &error), error, GN_CODE_UNSAFE);
}

static void many_lives(void) {
    struct ends ends;
    ends_pair(&ends);
    gn_channel_accept_handles(ends.b);
    uint64_t before = support_mappings();
    for (int turn = 0; turn < 1000; turn++) {
        gn_segment *adopted;
        gn_doorbell *made, *received;
        gn_error error;
        gn_segment *segment = segment_create(65536);
        EXPECT(gn_doorbell_create(ends.a, &made, &error) == GN_DONE);
        EXPECT(gn_segment_adopt(ends_pass(&ends, gn_segment_handle(segment)), 65536, &adopted, &error) == GN_DONE);
        gn_handle handle = gn_doorbell_handle(made) == GN_NO_HANDLE ? GN_NO_HANDLE : ends_pass(&ends, gn_doorbell_handle(made));
        EXPECT(gn_doorbell_adopt(handle, ends.b, &received, &error) == GN_DONE);
        gn_doorbell_close(received);
        gn_doorbell_close(made);
        if (turn == 0) EXPECT(before == 0 || support_mappings() == before + 2);
        gn_segment_close(adopted);
        gn_segment_close(segment);
    }
    EXPECT(support_mappings() == before);
    ends_finish(&ends);
}

// MARK: With a name

static void by_name(void) {
    char name[SEGMENT_NAME];
    gn_segment *made, *opened, *none;
    gn_error error;
    segment_name(name);
    EXPECT_CODE(gn_segment_open_named(name, &none, &error), error, GN_CODE_NOT_FOUND);
    EXPECT(gn_segment_create_named(name, ODD_SIZE, &made, &error) == GN_DONE);
    EXPECT(gn_segment_size(made) == ODD_SIZE && gn_segment_handle(made) == GN_NO_HANDLE && all_zero(made));
    EXPECT_CODE(gn_segment_create_named(name, ODD_SIZE, &none, &error), error, GN_CODE_EXISTS);
    EXPECT_CODE(gn_segment_create_named(name, SIZE, &none, &error), error, GN_CODE_EXISTS);
    // The whole of it, whatever size somebody may have in mind; some systems have whole pages only.
    EXPECT(gn_segment_open_named(name, &opened, &error) == GN_DONE);
    EXPECT(gn_segment_size(opened) >= ODD_SIZE && gn_segment_size(opened) < ODD_SIZE + 65536);
    EXPECT(gn_segment_handle(opened) == GN_NO_HANDLE);
    memcpy(gn_segment_bytes(made), "one", 4);
    EXPECT(strcmp(gn_segment_bytes(opened), "one") == 0);
    ((char *)gn_segment_bytes(opened))[ODD_SIZE - 1] = 7;
    EXPECT(((char *)gn_segment_bytes(made))[ODD_SIZE - 1] == 7);
    EXPECT(gn_segment_remove(name, &error) == GN_DONE);
    memcpy(gn_segment_bytes(made), "two", 4);
    EXPECT(strcmp(gn_segment_bytes(opened), "two") == 0);
    gn_segment_close(made);
    gn_segment_close(opened);
    EXPECT_CODE(gn_segment_open_named(name, &none, &error), error, GN_CODE_NOT_FOUND);
}

static void name_used_again(void) {
    char name[SEGMENT_NAME];
    gn_segment *segment;
    gn_error error;
    segment_name(name);
    for (int turn = 0; turn < 3; turn++) {
        EXPECT(gn_segment_create_named(name, SIZE, &segment, &error) == GN_DONE);
        EXPECT(all_zero(segment));
        memset(gn_segment_bytes(segment), 'x', SIZE);
        EXPECT(gn_segment_remove(name, &error) == GN_DONE);
        gn_segment_close(segment);
    }
}

static void expect_name(const char *name, gn_code code) {
    gn_segment *none;
    gn_error error;
    EXPECT_CODE(gn_segment_create_named(name, SIZE, &none, &error), error, code);
    EXPECT_CODE(gn_segment_open_named(name, &none, &error), error, code);
    EXPECT_CODE(gn_segment_remove(name, &error), error, code);
}

static void names(void) {
    char name[1024];
    gn_segment *segment;
    gn_error error;
    size_t limit = gn_segment_name_limit();
    EXPECT(limit >= 16 && limit < sizeof name - 1);
    segment_name(name);
    for (size_t i = strlen(name); i < limit; i++) name[i] = 'n';
    name[limit] = 0;
    EXPECT(gn_segment_create_named(name, SIZE, &segment, &error) == GN_DONE);
    EXPECT(gn_segment_remove(name, &error) == GN_DONE);
    gn_segment_close(segment);
    name[limit] = 'n';
    name[limit + 1] = 0;
    expect_name(name, GN_CODE_NAME_TOO_LONG);
    expect_name("", GN_CODE_INVALID);
    expect_name("/", GN_CODE_INVALID);
    expect_name("/gn-front", GN_CODE_INVALID);
    expect_name("gn-in/side", GN_CODE_INVALID);
    expect_name(".", GN_CODE_INVALID);
    expect_name("..", GN_CODE_INVALID);
}

// MARK: The boot

static void boot(void) {
    char text[64], again[33];
    gn_error error;
    EXPECT(gn_boot_id(text, sizeof text, &error) == GN_DONE);
    EXPECT(strlen(text) >= 16 && strspn(text, "0123456789abcdefABCDEF") == strlen(text));
    EXPECT(gn_boot_id(again, sizeof again, &error) == GN_DONE && strcmp(text, again) == 0);
    EXPECT_CODE(gn_boot_id(text, 32, &error), error, GN_CODE_INVALID);
}

void suite_memory(void) {
    check("a segment has exactly its size and holds zeros", zeros);
    check("what one end writes into a segment the other reads, in both directions", shared_both_ways);
    check("a segment lives as long as somebody has mapped it", outlives_its_maker);
    check("a segment without its descriptor stays mapped", let_go);
    check("a segment of another size than was agreed is unsafe, and its descriptor is gone", another_size);
    check("a number that is no descriptor is unsafe", wrong_numbers);
    check("a thousand segments and doorbells leave nothing open and nothing mapped", many_lives);
    check("a size outside the limits is invalid, and no name is left behind", outside_the_limits);
    check("a segment is found by its name, exists once, and is gone when it was removed and closed", by_name);
    check("a name that was removed can be used again, and nothing of before is in it", name_used_again);
    check("a name may be as long as its limit; longer ones, empty ones, slashes and dots alone are refused", names);
    check("a boot has an identity without dashes, the same each time", boot);
}
