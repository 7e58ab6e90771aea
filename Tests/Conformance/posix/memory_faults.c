// Scripted faults in shared memory: every call is interrupted, and every call fails once, without harm.
#include "posix_support.h"

enum { SIZE = 1 << 20 };

/// Whether every script has been used up; removes them.
static bool all_have_fired(void) {
    size_t added = 0;
    while (gn_fault_add("nothing", 0, 1, 1)) added++;
    gn_fault_clear();
    return added == 16;
}

/// Everything that a stream and a named ring do, once. The first failure, or GN_DONE; ends what it has begun either way. `*fired`: the scripts have been used up.
static gn_outcome live(struct ends *ends, const char *name, bool *fired, gn_error *error) {
    gn_segment *made = NULL, *adopted = NULL, *named = NULL, *opened = NULL;
    gn_doorbell *bell = NULL, *received = NULL;
    char boot[33];
    bool exists = false;
    gn_outcome outcome = gn_segment_create(SIZE, &made, error);
    if (outcome == GN_DONE) outcome = gn_segment_adopt(ends_pass(ends, gn_segment_handle(made)), SIZE, &adopted, error);
    if (outcome == GN_DONE) outcome = gn_doorbell_create(ends->a, &bell, error);
    if (outcome == GN_DONE) {
        gn_handle handle = gn_doorbell_handle(bell) == GN_NO_HANDLE ? GN_NO_HANDLE : ends_pass(ends, gn_doorbell_handle(bell));
        outcome = gn_doorbell_adopt(handle, ends->b, &received, error);
    }
    if (outcome == GN_DONE) {
        gn_doorbell_ring(bell);
        outcome = gn_segment_create_named(name, SIZE, &named, error);
        exists = outcome == GN_DONE;
    }
    if (outcome == GN_DONE) outcome = gn_segment_open_named(name, &opened, error);
    if (outcome == GN_DONE) {
        outcome = gn_segment_remove(name, error);
        exists = outcome != GN_DONE;
    }
    if (outcome == GN_DONE) outcome = gn_boot_id(boot, sizeof boot, error);
    *fired = all_have_fired();
    gn_error ignored;
    if (exists) (void)gn_segment_remove(name, &ignored);
    gn_segment *const segments[] = {made, adopted, named, opened};
    for (size_t i = 0; i < 4; i++) {
        if (segments[i] != NULL) gn_segment_close(segments[i]);
    }
    if (bell != NULL) gn_doorbell_close(bell);
    if (received != NULL) gn_doorbell_close(received);
    return outcome;
}

static void lives_begin(struct ends *ends, char name[SEGMENT_NAME]) {
    segment_name(name);
    ends_pair(ends);
    gn_channel_accept_handles(ends->b);
}

/// A call and how it can fail; the code is what the caller hears, 0 where it hears nothing.
static const struct fault { const char *operation; int32_t native; gn_code code; } faults[] = {
    {"calloc", ENOMEM, GN_CODE_NO_MEMORY},
    {"mmap", ENOMEM, GN_CODE_NO_MEMORY},
    {"mmap", EAGAIN, GN_CODE_NO_MEMORY},
    {"shm_open", EMFILE, GN_CODE_NO_DESCRIPTORS},
    {"shm_open", ENOSPC, GN_CODE_NO_SPACE},
    {"shm_open", EACCES, GN_CODE_DENIED},
    {"shm_unlink", EACCES, GN_CODE_DENIED},
    {"ftruncate", ENOMEM, GN_CODE_NO_MEMORY},
    {"ftruncate", EDQUOT, GN_CODE_NO_SPACE},
#if defined(__linux__)
    {"memfd_create", ENOMEM, GN_CODE_NO_MEMORY},
    {"memfd_create", EMFILE, GN_CODE_NO_DESCRIPTORS},
    {"memfd_create", EACCES, GN_CODE_DENIED},
    {"fallocate", ENOSPC, GN_CODE_NO_SPACE},
    {"fallocate", ENOMEM, GN_CODE_NO_MEMORY},
    {"eventfd", EMFILE, GN_CODE_NO_DESCRIPTORS},
    {"eventfd", ENFILE, GN_CODE_NO_DESCRIPTORS},
    {"eventfd", ENOMEM, GN_CODE_NO_MEMORY},
    {"write", EIO, GN_CODE_OTHER},
    {"readlink", ENOENT, GN_CODE_UNSAFE},
    {"openat", ENOENT, GN_CODE_NOT_FOUND},
    {"read", EIO, GN_CODE_OTHER},
    {"preadv2", EAGAIN, 0},
#endif
};

static void failures(void) {
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        uint32_t turn = 0;
        // At its first, second, ... call, until it has no such call any more.
        for (bool fired = true; fired; turn++) {
            struct ends ends;
            char name[SEGMENT_NAME];
            gn_error error = {0}, gone;
            gn_segment *none;
            uint64_t limit, before, after;
            EXPECT(turn < 64);
            lives_begin(&ends, name);
            gn_descriptor_limit(&limit, &before);
            EXPECT(gn_fault_add(faults[i].operation, turn, 1, faults[i].native));
            gn_outcome outcome = live(&ends, name, &fired, &error);
            gn_descriptor_limit(&limit, &after);
            bool silent = !fired || faults[i].code == 0;
            bool right = silent ? outcome == GN_DONE : outcome == GN_FAILED && (error.code == faults[i].code && error.native == faults[i].native && error.operation != NULL);
            bool clean = before == after && gn_segment_open_named(name, &none, &gone) == GN_FAILED && gone.code == GN_CODE_NOT_FOUND;
            if (!right || !clean) {
                char what[128];
                (void)snprintf(what, sizeof what, "%s, call %u: code %d (%s), %s", faults[i].operation, turn, (int)error.code,
                               error.operation == NULL ? "" : error.operation, clean ? "clean" : "left something behind");
                check_fail(__FILE__, __LINE__, what);
            }
            ends_finish(&ends);
        }
        EXPECT(turn > 1);
    }
}

static void interruptions(void) {
    const char *const operations[] = {"shm_open", "shm_unlink", "ftruncate",
#if defined(__linux__)
                                      "memfd_create", "fallocate", "fcntl", "eventfd", "write", "readlink", "openat", "read", "preadv2"
#endif
    };
    for (size_t i = 0; i < sizeof operations / sizeof operations[0]; i++) {
        struct ends ends;
        char name[SEGMENT_NAME];
        gn_error error;
        bool fired;
        lives_begin(&ends, name);
        EXPECT(gn_fault_add(operations[i], 0, 3, EINTR));
        EXPECT(live(&ends, name, &fired, &error) == GN_DONE && fired);
        ends_finish(&ends);
    }
}

#if defined(__linux__)

static void seals_fail(void) {
    struct ends ends;
    gn_segment *made, *none;
    gn_error error;
    ends_pair(&ends);
    gn_channel_accept_handles(ends.b);
    // A kernel that cannot seal is no kernel for segments.
    EXPECT(gn_fault_add("fcntl", 0, 1, EINVAL));
    EXPECT_CODE(gn_segment_create(SIZE, &none, &error), error, GN_CODE_UNSUPPORTED);
    EXPECT(gn_fault_add("fcntl", 0, 1, EPERM));
    EXPECT_CODE(gn_segment_create(SIZE, &none, &error), error, GN_CODE_DENIED);
    made = segment_create(SIZE);
    for (uint32_t call = 0; call < 2; call++) {
        EXPECT(gn_fault_add("fcntl", call, 1, EBADF));
        EXPECT_CODE(gn_segment_adopt(ends_pass(&ends, gn_segment_handle(made)), SIZE, &none, &error), error, GN_CODE_UNSAFE);
        gn_fault_clear();
    }
    gn_segment_close(made);
    ends_finish(&ends);
}

static void boot_is_unreadable(void) {
    char boot[33];
    gn_error error;
    EXPECT(gn_fault_add("openat", 0, 1, ENOENT));
    EXPECT_CODE(gn_boot_id(boot, sizeof boot, &error), error, GN_CODE_NOT_FOUND);
    EXPECT(gn_fault_add("read", 0, 1, EIO));
    EXPECT_CODE(gn_boot_id(boot, sizeof boot, &error), error, GN_CODE_OTHER);
}

static void machine_does_not_say(void) {
    // Without /proc/meminfo a large segment is made as a small one is, as far as the memory goes.
    gn_segment *segment;
    gn_error error;
    const uint64_t large = (uint64_t)65 << 20;
    static const char *const operations[] = {"openat", "read"};
    for (size_t i = 0; i < 2; i++) {
        EXPECT(gn_fault_add(operations[i], 0, 1, EACCES) && gn_fault_add("fallocate", 0, 1, ENOSPC));
        EXPECT_CODE(gn_segment_create(large, &segment, &error), error, GN_CODE_NO_SPACE);
        EXPECT(error.native == ENOSPC && all_have_fired());
    }
    EXPECT(gn_segment_create(large, &segment, &error) == GN_DONE);
    gn_segment_close(segment);
}

#endif

void suite_memory_faults(void) {
    check("in shared memory an interrupted call is repeated, whichever it is", interruptions);
    check("in shared memory a call that fails is reported and leaves nothing behind", failures);
#if defined(__linux__)
    check("without seals there is no segment", seals_fail);
    check("a boot without an identity is an error", boot_is_unreadable);
    check("a large segment is made where nobody says how much memory there is", machine_does_not_say);
#endif
}
