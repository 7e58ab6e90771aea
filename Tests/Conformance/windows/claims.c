// Claims: numbers that a peer says it has lent, and that lie.
#include "windows_support.h"

#include <stdatomic.h>

enum { BYTES = 1 << 16 };

static HANDLE plain_section(void) {
    HANDLE made = CreateFileMappingW(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, BYTES, NULL);
    EXPECT(made != NULL);
    return made;
}

static HANDLE with_rights(HANDLE handle, DWORD rights) {
    HANDLE copy;
    EXPECT(DuplicateHandle(GetCurrentProcess(), handle, GetCurrentProcess(), &copy, rights, FALSE, 0));
    return copy;
}

static HANDLE section_of(gn_segment *segment) { return (HANDLE)gn_segment_handle(segment); }

static gn_outcome lend(gn_channel *channel, HANDLE handle, uint64_t *number, gn_error *error) { return gn_channel_lend_handle(channel, (gn_handle)handle, number, error); }

static void expect_untouched(HANDLE named) {
    DWORD before, after;
    gn_handle none = GN_NO_HANDLE;
    gn_error error;
    EXPECT(named != NULL && GetHandleInformation(named, &before));
    // The last two bits of a number mean nothing to the kernel.
    for (uint64_t low = 0; low < 4; low++) EXPECT_CODE(gn_handle_claim((uint64_t)(uintptr_t)named + low, &none, &error), error, GN_CODE_UNSAFE);
    EXPECT(GetHandleInformation(named, &after) && after == before && none == GN_NO_HANDLE);
}

static void numbers_of_nothing(void) {
    HANDLE closed = CreateEventW(NULL, TRUE, FALSE, NULL);
    EXPECT(CloseHandle(closed));
    const uint64_t wrong[] = {0, 1, 2, 3, (uint64_t)(uintptr_t)closed, 0x7ffffffc, 0x80000000, 0xfffffffc, 1ull << 40, INT64_MAX, 1ull << 63,
                              (uint64_t)-1, (uint64_t)-2, (uint64_t)-4, (uint64_t)-6, (uint64_t)(uintptr_t)INVALID_HANDLE_VALUE, UINT64_MAX - 15};
    gn_handle none = GN_NO_HANDLE;
    gn_error error;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) EXPECT_CODE(gn_handle_claim(wrong[i], &none, &error), error, GN_CODE_UNSAFE);
    EXPECT(none == GN_NO_HANDLE);
}

static void handles_of_other_kinds(void) {
    WCHAR directory[MAX_PATH], path[MAX_PATH];
    EXPECT(GetTempPathW(MAX_PATH, directory) > 0 && GetTempFileNameW(directory, L"gnl", 0, path) != 0);
    HANDLE whole = plain_section();
    HANDLE named[] = {
        CreateFileW(path, GENERIC_READ | GENERIC_WRITE, 0, NULL, CREATE_ALWAYS, FILE_FLAG_DELETE_ON_CLOSE, NULL),
        CreateEventW(NULL, TRUE, FALSE, NULL),
        OpenProcess(PROCESS_DUP_HANDLE, FALSE, GetCurrentProcessId()),
        whole,
        with_rights(whole, SECTION_MAP_READ | SECTION_MAP_WRITE),
        with_rights(whole, SECTION_QUERY | SECTION_MAP_READ),
    };
    for (size_t i = 0; i < sizeof named / sizeof named[0]; i++) expect_untouched(named[i]);
    for (size_t i = 0; i < sizeof named / sizeof named[0]; i++) EXPECT(CloseHandle(named[i]));
    // With the right rights, but one that children inherit: nobody has lent that.
    HANDLE inheritable, plain = plain_section();
    EXPECT(DuplicateHandle(GetCurrentProcess(), plain, GetCurrentProcess(), &inheritable, SECTION_QUERY | SECTION_MAP_READ | SECTION_MAP_WRITE, TRUE, 0));
    expect_untouched(inheritable);
    EXPECT(CloseHandle(inheritable) && CloseHandle(plain));
}

static void segments_of_ours(void) {
    struct ends ends;
    gn_error error;
    gn_handle claimed;
    gn_segment *named;
    uint64_t number;
    char name[SEGMENT_NAME];
    ends_pair(&ends);
    gn_segment *segment = segment_create(BYTES);
    expect_untouched(section_of(segment));
    // A handle that segments keep is not closed by a neighbour's mistake either.
    EXPECT(!CloseHandle(section_of(segment)));
    memset(gn_segment_bytes(segment), 'n', BYTES);
    EXPECT(lend(ends.a, section_of(segment), &number, &error) == GN_DONE && gn_handle_claim(number, &claimed, &error) == GN_DONE);
    // Claimed and not mapped yet.
    expect_untouched((HANDLE)claimed);
    EXPECT(!CloseHandle((HANDLE)claimed));
    gn_handle_close(claimed);
    segment_name(name);
    EXPECT(gn_segment_create_named(name, BYTES, &named, &error) == GN_DONE);
    // A named one's handle is not told, so all numbers are tried: none of them can be claimed.
    for (uint64_t each = 4; each < 4096; each += 4) EXPECT_CODE(gn_handle_claim(each, &claimed, &error), error, GN_CODE_UNSAFE);
    gn_segment_close(named);
    gn_segment_close(segment);
    ends_finish(&ends);
}

static void a_claim_that_fails(void) {
    struct ends ends;
    gn_error error;
    gn_handle claimed = GN_NO_HANDLE;
    gn_segment *none;
    uint64_t number;
    ends_pair(&ends);
    gn_segment *segment = segment_create(BYTES);
    EXPECT(lend(ends.a, section_of(segment), &number, &error) == GN_DONE);
    EXPECT(gn_fault_add("SetHandleInformation", 0, 1, ERROR_GEN_FAILURE));
    EXPECT_CODE(gn_handle_claim(number, &claimed, &error), error, GN_CODE_OTHER);
    EXPECT(claimed == GN_NO_HANDLE && gn_handle_claim(number, &claimed, &error) == GN_DONE);
    // Claimed, and not what was announced: closed.
    EXPECT_CODE(gn_segment_adopt(claimed, 2 * BYTES, &none, &error), error, GN_CODE_UNSAFE);
    EXPECT(lend(ends.a, section_of(segment), &number, &error) == GN_DONE && gn_handle_claim(number, &claimed, &error) == GN_DONE);
    EXPECT(gn_fault_add("MapViewOfFile", 0, 1, ERROR_NOT_ENOUGH_MEMORY));
    EXPECT_CODE(gn_segment_adopt(claimed, BYTES, &none, &error), error, GN_CODE_NO_MEMORY);
    gn_segment_close(segment);
    EXPECT(gn_fault_add("SetHandleInformation", 0, 1, ERROR_GEN_FAILURE));
    EXPECT_CODE(gn_segment_create(BYTES, &none, &error), error, GN_CODE_OTHER);
    ends_finish(&ends);
}

enum { RACES = 200 };

struct race {
    uint64_t numbers[RACES];
    atomic_uint begun, won;
};

static void claim_all(void *argument) {
    struct race *race = argument;
    gn_handle handle;
    gn_error error;
    atomic_fetch_add(&race->begun, 1);
    while (atomic_load(&race->begun) < 2) gn_relax();
    for (size_t i = 0; i < RACES; i++) {
        if (gn_handle_claim(race->numbers[i], &handle, &error) == GN_DONE) atomic_fetch_add(&race->won, 1);
    }
}

static void two_name_the_same(void) {
    static struct race race;
    struct ends ends;
    gn_error error;
    gn_thread *threads[2];
    ends_pair(&ends);
    gn_segment *segment = segment_create(BYTES);
    race = (struct race){.begun = 0};
    for (size_t i = 0; i < RACES; i++) EXPECT(lend(ends.a, section_of(segment), &race.numbers[i], &error) == GN_DONE);
    for (size_t i = 0; i < 2; i++) EXPECT(gn_thread_start("claims", 0, claim_all, &race, &threads[i], &error) == GN_DONE);
    for (size_t i = 0; i < 2; i++) gn_thread_join(threads[i]);
    EXPECT(atomic_load(&race.won) == RACES);
    for (size_t i = 0; i < RACES; i++) gn_handle_close((gn_handle)race.numbers[i]);
    gn_segment_close(segment);
    ends_finish(&ends);
}

void suite_claims(void) {
    check("numbers of no handle are refused", numbers_of_nothing);
    check("numbers of files, events, processes and sections of others are refused and stay open", handles_of_other_kinds);
    check("numbers of segments here are refused and stay open", segments_of_ours);
    check("a claim that fails leaves the number as it was, and one of another size is closed", a_claim_that_fails);
    check("of two who claim one number at once one is refused", two_name_the_same);
}
