// Segments with a name: whose they are, who may use them, and what else a name may lead to.
#include "posix_support.h"

#include <sys/mman.h>
#include <sys/resource.h>

enum { SIZE = 1 << 20 };

static gn_segment *create_named(const char *name) {
    gn_segment *segment;
    gn_error error;
    EXPECT(gn_segment_create_named(name, SIZE, &segment, &error) == GN_DONE);
    return segment;
}

static void remove_named(const char *name) {
    gn_error error;
    EXPECT(gn_segment_remove(name, &error) == GN_DONE);
}

/// What POSIX calls it.
static void slashed(const char *name, char path[64]) { (void)snprintf(path, 64, "/%s", name); }

static void closed_to_others(void) {
    static const mode_t masks[] = {0, 022, 0777};
    for (size_t i = 0; i < 3; i++) {
        char name[SEGMENT_NAME], path[64];
        gn_segment *opened;
        gn_error error;
        struct stat status;
        segment_name(name);
        slashed(name, path);
        mode_t before = umask(masks[i]);
        gn_segment *segment = create_named(name);
        (void)umask(before);
        int descriptor = shm_open(path, O_RDWR, 0);
        EXPECT(descriptor >= 0 && fstat(descriptor, &status) == 0 && close(descriptor) == 0);
        EXPECT((status.st_mode & 0777) == 0600 && status.st_uid == geteuid());
        EXPECT(gn_segment_open_named(name, &opened, &error) == GN_DONE);
        gn_segment_close(opened);
        gn_segment_close(segment);
        remove_named(name);
    }
}

static void as_another_user(void) {
    needs_root();
    char name[SEGMENT_NAME], user[16];
    segment_name(name);
    (void)snprintf(user, sizeof user, "%d", STRANGER);
    gn_segment *segment = create_named(name);
    int32_t opened = child_finish(child_start((const char *const[]){"open-segment-as", user, name, NULL}, NULL, 0, GN_NO_HANDLE));
    int32_t removed = child_finish(child_start((const char *const[]){"remove-segment-as", user, name, NULL}, NULL, 0, GN_NO_HANDLE));
    EXPECT(opened == GN_CODE_DENIED || opened == GN_CODE_UNSAFE);
    EXPECT(removed == GN_CODE_DENIED);
    gn_segment_close(segment);
    remove_named(name);
}

static void just_being_made(void) {
    char name[SEGMENT_NAME], path[64];
    gn_segment *none;
    gn_error error;
    segment_name(name);
    slashed(name, path);
    int descriptor = shm_open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
    EXPECT(descriptor >= 0 && close(descriptor) == 0);
    EXPECT_CODE(gn_segment_open_named(name, &none, &error), error, GN_CODE_INVALID);
    remove_named(name);
}

static void closed_by_exec(void) {
    const char *const role[] = {"count-descriptors", NULL};
    int before = child_finish(child_start(role, NULL, 0, GN_NO_HANDLE));
    struct ends ends;
    gn_doorbell *doorbell;
    gn_error error;
    ends_pair(&ends);
    gn_segment *segment = segment_create(SIZE);
    EXPECT(gn_doorbell_create(ends.a, &doorbell, &error) == GN_DONE);
    EXPECT(child_finish(child_start(role, NULL, 0, GN_NO_HANDLE)) == before);
    gn_doorbell_close(doorbell);
    gn_segment_close(segment);
    ends_finish(&ends);
}

#if defined(__linux__)

/// Where names are files.
static void file_of(const char *name, char path[64]) { (void)snprintf(path, 64, "/dev/shm/%s", name); }

static void expect_unsafe(const char *name) {
    gn_segment *none;
    gn_error error;
    EXPECT_CODE(gn_segment_open_named(name, &none, &error), error, GN_CODE_UNSAFE);
}

static void open_to_others(void) {
    static const mode_t modes[] = {0640, 0606, 0666, 0700 | 0011};
    char name[SEGMENT_NAME], path[64];
    segment_name(name);
    file_of(name, path);
    gn_segment_close(create_named(name));
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        EXPECT(chmod(path, modes[i]) == 0);
        expect_unsafe(name);
    }
    EXPECT(chmod(path, 0600) == 0);
    remove_named(name);
}

static void of_a_stranger(void) {
    needs_root();
    char name[SEGMENT_NAME], path[64];
    segment_name(name);
    file_of(name, path);
    gn_segment_close(create_named(name));
    EXPECT(chown(path, STRANGER, STRANGER) == 0);
    expect_unsafe(name);
    remove_named(name);
}

static void something_else(void) {
    char name[SEGMENT_NAME], other[SEGMENT_NAME], path[64], target[64];
    gn_segment *none;
    gn_error error;
    segment_name(name);
    segment_name(other);
    file_of(name, path);
    file_of(other, target);
    gn_segment_close(create_named(other));
    EXPECT(symlink(target, path) == 0);
    expect_unsafe(name);
    EXPECT_CODE(gn_segment_create_named(name, SIZE, &none, &error), error, GN_CODE_EXISTS);
    EXPECT(unlink(path) == 0);
    EXPECT(link(target, path) == 0);
    expect_unsafe(name);
    EXPECT(unlink(path) == 0);
    // Nobody reads from it, and nobody waits for that.
    EXPECT(mkfifo(path, 0600) == 0);
    expect_unsafe(name);
    EXPECT(unlink(path) == 0);
    EXPECT(mkdir(path, 0700) == 0);
    EXPECT(gn_segment_open_named(name, &none, &error) == GN_FAILED);
    EXPECT(rmdir(path) == 0);
    remove_named(other);
}

static void file_system_is_full(void) {
    int32_t status = child_finish(child_start((const char *const[]){"small-memory", NULL}, NULL, 0, GN_NO_HANDLE));
    if (status == NOT_ALLOWED) check_skip("it takes a mount namespace");
    EXPECT(status == 0);
}

static void more_than_there_is(void) {
    gn_segment *none;
    gn_error error;
    struct rlimit before, small;
    // Said at once, before anything was taken from anybody.
    if ((uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE) < GN_SEGMENT_MAXIMUM / 2) {
        EXPECT_CODE(gn_segment_create(GN_SEGMENT_MAXIMUM, &none, &error), error, GN_CODE_NO_MEMORY);
    }
    // A limit that is enforced by a signal, which would end the program.
    EXPECT(getrlimit(RLIMIT_FSIZE, &before) == 0);
    small = before;
    small.rlim_cur = SIZE - 1;
    EXPECT(setrlimit(RLIMIT_FSIZE, &small) == 0);
    gn_outcome outcome = gn_segment_create(SIZE, &none, &error);
    EXPECT(setrlimit(RLIMIT_FSIZE, &before) == 0);
    EXPECT_CODE(outcome, error, GN_CODE_NO_SPACE);
    EXPECT(error.native == EFBIG);
}

#endif

void suite_posix_memory(void) {
    check("a segment with a name is open to its user alone, whatever the umask", closed_to_others);
    check("another user can neither open nor remove a segment", as_another_user);
    check("a segment that is only being made cannot be opened", just_being_made);
    check("a child is born without segments and doorbells", closed_by_exec);
#if defined(__linux__)
    check("a segment that is open to others is unsafe", open_to_others);
    check("a segment that a stranger has left for us is unsafe", of_a_stranger);
    check("a link, a second name or a pipe in a segment's place is unsafe", something_else);
    check("a full file system is an error and never a signal", file_system_is_full);
    check("more memory than there is, or than a limit allows, is an error at once", more_than_there_is);
#endif
}
