// Descriptors from a peer: what is taken for a segment or a doorbell, what is not, and what a peer can do to those that are.
#include "posix_support.h"

#if defined(__linux__)
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/vfs.h>
#endif

enum { SIZE = 1 << 20, PAGE = 4096 };

/// Hands a descriptor over as a peer does; it is gone afterwards.
static gn_outcome adopt_as_segment(int descriptor, gn_segment **segment, gn_error *error) {
    struct ends ends;
    EXPECT(descriptor >= 0);
    ends_pair(&ends);
    gn_channel_accept_handles(ends.b);
    gn_handle handle = ends_pass(&ends, descriptor);
    EXPECT(close(descriptor) == 0);
    gn_outcome outcome = gn_segment_adopt(handle, SIZE, segment, error);
    ends_finish(&ends);
    return outcome;
}

static void expect_no_segment(int descriptor) {
    gn_segment *none;
    gn_error error;
    EXPECT_CODE(adopt_as_segment(descriptor, &none, &error), error, GN_CODE_UNSAFE);
}

/// The code says whether this platform takes descriptors for doorbells at all; none of these is one.
static void expect_no_doorbell(int descriptor) {
    gn_doorbell *none;
    gn_error error;
    EXPECT(descriptor >= 0);
    EXPECT_CODE(gn_doorbell_adopt(descriptor, NULL, &none, &error), error, GN_CODE_UNSAFE);
    EXPECT(fcntl(descriptor, F_GETFD) < 0);
}

/// A file of the right size.
static int plain_file(void) {
    char path[] = "/tmp/ginnel-conformance-XXXXXX";
    int descriptor = mkstemp(path);
    EXPECT(descriptor >= 0 && unlink(path) == 0 && ftruncate(descriptor, SIZE) == 0);
    return descriptor;
}

static int pipe_end(int which) {
    int pipes[2];
    EXPECT(pipe(pipes) == 0 && close(pipes[1 - which]) == 0);
    return pipes[which];
}

static void other_kinds(void) {
    for (int round = 0; round < 2; round++) {
        void (*const refuse)(int) = round == 0 ? expect_no_segment : expect_no_doorbell;
        refuse(plain_file());
        refuse(pipe_end(0));
        refuse(pipe_end(1));
        refuse(open("/", O_RDONLY | O_DIRECTORY));
        refuse(open("/dev/zero", O_RDWR));
        gn_channel *first, *second;
        gn_error error;
        EXPECT(gn_channel_pair(&first, &second, &error) == GN_DONE);
        refuse((int)gn_channel_release(first));
        gn_channel_abort(second);
    }
}

static void size_is_final(void) {
    gn_segment *segment = segment_create(SIZE);
    int descriptor = (int)gn_segment_handle(segment);
    static const off_t sizes[] = {0, PAGE, SIZE - PAGE, SIZE + 65536, (off_t)1 << 30};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) EXPECT(ftruncate(descriptor, sizes[i]) != 0);
    memset(gn_segment_bytes(segment), 'x', SIZE);
    gn_segment_close(segment);
}

#if defined(__linux__)

/// Memory as a peer may make it.
static int foreign_memory(off_t size, int seals) {
    int descriptor = memfd_create("foreign", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    EXPECT(descriptor >= 0 && ftruncate(descriptor, size) == 0);
    EXPECT(seals == 0 || fcntl(descriptor, F_ADD_SEALS, seals) == 0);
    return descriptor;
}

enum { SIZE_SEALS = F_SEAL_SHRINK | F_SEAL_GROW };

static void other_memory(void) {
    gn_segment *segment;
    gn_error error;
    expect_no_segment(foreign_memory(SIZE, 0));
    expect_no_segment(foreign_memory(SIZE, F_SEAL_SHRINK));
    expect_no_segment(foreign_memory(SIZE, F_SEAL_GROW));
    expect_no_segment(foreign_memory(SIZE, F_SEAL_GROW | F_SEAL_SEAL));
    expect_no_segment(foreign_memory(SIZE, SIZE_SEALS | F_SEAL_WRITE));
    expect_no_segment(foreign_memory(SIZE - 1, SIZE_SEALS));
    expect_no_segment(foreign_memory(SIZE + 1, SIZE_SEALS));
    expect_no_segment(foreign_memory(SIZE - PAGE, SIZE_SEALS));
    expect_no_segment(foreign_memory(0, SIZE_SEALS));
    expect_no_segment(memfd_create("foreign", MFD_CLOEXEC));
    expect_no_segment(eventfd(0, EFD_CLOEXEC));
    expect_no_doorbell(foreign_memory(SIZE, SIZE_SEALS));
    // One's own eyes alone.
    char path[64];
    int sealed = foreign_memory(SIZE, SIZE_SEALS);
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", sealed);
    expect_no_segment(open(path, O_RDONLY | O_CLOEXEC));
    expect_no_segment(open(path, O_PATH | O_CLOEXEC));
    // Whoever made it, this is one.
    EXPECT(adopt_as_segment(sealed, &segment, &error) == GN_DONE);
    gn_segment_close(segment);
}

static void huge_pages(void) {
    int descriptor = memfd_create("foreign", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_HUGETLB);
    if (descriptor < 0 || ftruncate(descriptor, 4 << 20) != 0) {
        if (descriptor >= 0) EXPECT(close(descriptor) == 0);
        check_skip("this machine has set no memory in huge pages aside");
    }
    gn_segment *none;
    gn_error error;
    EXPECT(fcntl(descriptor, F_ADD_SEALS, SIZE_SEALS) == 0);
    EXPECT_CODE(gn_segment_adopt(descriptor, 4 << 20, &none, &error), error, GN_CODE_UNSAFE);
}

static void sealed(void) {
    gn_segment *segment = segment_create(SIZE);
    int descriptor = (int)gn_segment_handle(segment);
    const int all = SIZE_SEALS | F_SEAL_SEAL;
    EXPECT((fcntl(descriptor, F_GET_SEALS) & all) == all);
    EXPECT(ftruncate(descriptor, SIZE - PAGE) != 0 && errno == EPERM);
    EXPECT(ftruncate(descriptor, SIZE + PAGE) != 0 && errno == EPERM);
    EXPECT(pwrite(descriptor, "x", 1, SIZE) != 1);
    EXPECT(fcntl(descriptor, F_ADD_SEALS, F_SEAL_WRITE) != 0 && errno == EPERM);
    // A hole is the one thing that can be made: it reads as zeros, and touching it is safe.
    EXPECT(fallocate(descriptor, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, SIZE) == 0);
    memset(gn_segment_bytes(segment), 'x', SIZE);
    gn_segment_close(segment);
}

static uint64_t memory_of(int descriptor) {
    struct stat status;
    EXPECT(fstat(descriptor, &status) == 0);
    return (uint64_t)status.st_blocks * 512;
}

static void memory_is_there(void) {
    gn_segment *segment = segment_create(SIZE + 512), *adopted;
    gn_error error;
    EXPECT(memory_of((int)gn_segment_handle(segment)) >= SIZE + 512);
    gn_segment_close(segment);
    // A peer that has provided for nothing, or for the wrong place.
    int watched = foreign_memory(SIZE, 0);
    EXPECT(fallocate(watched, FALLOC_FL_KEEP_SIZE, SIZE, SIZE) == 0 && fcntl(watched, F_ADD_SEALS, SIZE_SEALS) == 0);
    EXPECT(memory_of(watched) == SIZE);
    EXPECT(adopt_as_segment(dup(watched), &adopted, &error) == GN_DONE);
    EXPECT(memory_of(watched) == 2 * SIZE && close(watched) == 0);
    gn_segment_close(adopted);
}

static void older_kernel(void) {
    gn_segment *segment;
    gn_error error;
    EXPECT(gn_fault_add("memfd_create", 0, 1, EINVAL));
    EXPECT(gn_segment_create(SIZE, &segment, &error) == GN_DONE);
    EXPECT((fcntl((int)gn_segment_handle(segment), F_GET_SEALS) & SIZE_SEALS) == SIZE_SEALS);
    gn_segment_close(segment);
    EXPECT(gn_fault_add("memfd_create", 0, 1, ENOSYS));
    EXPECT_CODE(gn_segment_create(SIZE, &segment, &error), error, GN_CODE_UNSUPPORTED);
}

// MARK: Doorbells

/// True when listening to `made` hears a ring of `rung`.
static bool is_heard(gn_doorbell *made, gn_doorbell *rung) {
    gn_poller *poller;
    gn_event event;
    gn_error error;
    size_t count;
    EXPECT(poller_open(&poller, &error) == GN_DONE && gn_poller_add_doorbell(poller, made, 1, &error) == GN_DONE);
    EXPECT(gn_poller_wait(poller, &event, 1, 0, &count, &error) == GN_DONE);
    gn_doorbell_ring(rung);
    EXPECT(gn_poller_wait(poller, &event, 1, 0, &count, &error) == GN_DONE);
    gn_poller_remove_doorbell(poller, made);
    gn_poller_close(poller);
    return count == 1;
}

static void hostile_flags(void) {
    gn_doorbell *made, *received;
    gn_error error;
    EXPECT(gn_doorbell_create(NULL, &made, &error) == GN_DONE);
    int theirs = dup((int)gn_doorbell_handle(made));
    EXPECT(theirs >= 0 && fcntl(theirs, F_SETFL, 0) == 0);
    EXPECT(is_heard(made, made));
    // The counter as full as it can be, and still.
    uint64_t one = 1;
    EXPECT(write(theirs, &one, sizeof one) == sizeof one && is_heard(made, made) && close(theirs) == 0);
    gn_doorbell_close(made);
    // Bells that cannot ring: empty ones, which any read that waits would wait for. A ring that hangs is ended by the clock.
    for (int semaphore = 0; semaphore < 2; semaphore++) {
        EXPECT(gn_doorbell_adopt(eventfd(0, EFD_CLOEXEC | (semaphore == 0 ? 0 : EFD_SEMAPHORE)), NULL, &received, &error) == GN_DONE);
        for (int turn = 0; turn < 3; turn++) gn_doorbell_ring(received);
        gn_doorbell_close(received);
    }
}

static void older_ring(void) {
    gn_doorbell *made;
    gn_error error;
    EXPECT(gn_doorbell_create(NULL, &made, &error) == GN_DONE);
    static const int answers[] = {EOPNOTSUPP, ENOSYS};
    for (size_t i = 0; i < 2; i++) {
        EXPECT(gn_fault_add("preadv2", 0, 1, answers[i]));
        EXPECT(is_heard(made, made));
    }
    gn_doorbell_close(made);
}

#endif

void suite_sealed(void) {
    check("files, pipes, devices and sockets are neither segments nor doorbells, and are closed", other_kinds);
    check("a peer cannot change a segment's size", size_is_final);
#if defined(__linux__)
    check("memory that is not sealed, of another size or not to be written is no segment", other_memory);
    check("memory in huge pages is no segment", huge_pages);
    check("a segment is sealed, and a hole in it does no harm", sealed);
    check("a segment has memory for all its bytes, also where the peer has provided for none", memory_is_there);
    check("kernels that know less make segments all the same, or say that they cannot", older_kernel);
    check("a peer can make its bell silent, and cannot make a ring wait", hostile_flags);
    check("without reads that never wait a doorbell rings all the same", older_ring);
#endif
}
