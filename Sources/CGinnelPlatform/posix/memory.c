// Shared memory: segments without a name, which travel as descriptors, and segments with one.
//
// A segment is mapped once, whole, for reading and writing, and keeps its descriptor only when that is to be sent. Before it is mapped it has
// memory for all its bytes: a page that cannot be had when it is touched is SIGBUS, which nobody can answer, and here it is an error. Of an object
// that comes from elsewhere nothing is believed: kind, size and rights are asked of the kernel (linux/memory.c, darwin/memory.c).
//
// A name gets its size last, so whoever opens it too early finds nothing of the size of a segment.
#include "posix.h"

#if !defined(_WIN32)

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static bool is_size(uint64_t size) { return size >= GN_SEGMENT_MINIMUM && size <= GN_SEGMENT_MAXIMUM; }

/// Maps an object; it closes the descriptor on failure, and after it unless it is kept.
static gn_outcome map(int descriptor, uint64_t size, bool keep, gn_segment **segment, gn_error *error) {
    gn_segment *made = gnp_allocate(sizeof *made);
    void *bytes = MAP_FAILED;
    if (made == NULL) {
        gnp_close(descriptor);
        return gnp_fail(error, GN_CODE_NO_MEMORY, ENOMEM, "calloc");
    }
    if (!gnp_fails("mmap")) bytes = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    if (bytes == MAP_FAILED) {
        free(made);
        gnp_close(descriptor);
        // EAGAIN: a process that locks all its memory has no more that may be locked.
        return gnp_fail(error, errno == EAGAIN ? GN_CODE_NO_MEMORY : gnp_code_of(errno), errno, "mmap");
    }
    *made = (gn_segment){.bytes = bytes, .size = size, .descriptor = keep ? descriptor : -1};
    if (!keep) gnp_close(descriptor);
    *segment = made;
    return GN_DONE;
}

// MARK: Without a name

gn_outcome gn_segment_create(uint64_t size, gn_segment **segment, gn_error *error) {
    int descriptor;
    if (!is_size(size)) return gnp_fail(error, GN_CODE_INVALID, 0, "mmap");
    if (gnp_memory_make(size, &descriptor, error) != GN_DONE) return GN_FAILED;
    return map(descriptor, size, true, segment, error);
}

gn_outcome gn_segment_adopt(gn_handle handle, uint64_t size, gn_segment **segment, gn_error *error) {
    if (handle < 0 || handle > INT_MAX) return gnp_fail(error, GN_CODE_UNSAFE, EBADF, "fcntl");
    int descriptor = (int)handle;
    gn_outcome outcome = is_size(size) ? gnp_memory_check(descriptor, size, error) : gnp_fail(error, GN_CODE_INVALID, 0, "mmap");
    // The peer may have left holes in it.
    if (outcome == GN_DONE) outcome = gnp_memory_reserve(descriptor, size, error);
    if (outcome == GN_DONE) return map(descriptor, size, false, segment, error);
    gnp_close(descriptor);
    return GN_FAILED;
}

// MARK: With a name

/// The name as POSIX wants it, with a slash in front.
static gn_outcome slashed(const char *name, char path[NAME_MAX + 2], gn_error *error) {
    size_t length = strlen(name);
    if (length > gn_segment_name_limit()) return gnp_fail(error, GN_CODE_NAME_TOO_LONG, ENAMETOOLONG, "shm_open");
    if (length == 0 || strchr(name, '/') != NULL || strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
        return gnp_fail(error, GN_CODE_INVALID, 0, "shm_open");
    }
    path[0] = '/';
    memcpy(path + 1, name, length + 1);
    return GN_DONE;
}

gn_outcome gn_segment_create_named(const char *name, uint64_t size, gn_segment **segment, gn_error *error) {
    char path[NAME_MAX + 2];
    int descriptor;
    if (!is_size(size)) return gnp_fail(error, GN_CODE_INVALID, 0, "mmap");
    if (slashed(name, path, error) != GN_DONE) return GN_FAILED;
    GNP_RETRY(descriptor, "shm_open", shm_open(path, O_RDWR | O_CREAT | O_EXCL, S_IRUSR | S_IWUSR));
    if (descriptor < 0) return gnp_fail_errno(error, "shm_open");
    // An odd umask takes away our own rights. macOS cannot do this, and need not.
    (void)fchmod(descriptor, S_IRUSR | S_IWUSR);
    gn_outcome outcome = gnp_memory_extend(descriptor, size, error);
    if (outcome == GN_DONE) outcome = map(descriptor, size, false, segment, error);
    else gnp_close(descriptor);
    if (outcome != GN_DONE) (void)shm_unlink(path);
    return outcome;
}

/// Whether an open object belongs to this user alone; what a name leads to may be anything.
static gn_outcome look_at(int descriptor, uint64_t *size, gn_error *error) {
    struct stat status;
    if (fstat(descriptor, &status) != 0) return gnp_fail_errno(error, "fstat");
    // macOS says no kind for a shared memory object.
    bool plain = S_ISREG(status.st_mode) || (status.st_mode & S_IFMT) == 0;
    if (!plain || status.st_uid != geteuid() || (status.st_mode & (S_IRWXG | S_IRWXO)) != 0 || status.st_nlink > 1) {
        return gnp_fail(error, GN_CODE_UNSAFE, 0, "fstat");
    }
    *size = (uint64_t)status.st_size;
    return is_size(*size) ? GN_DONE : gnp_fail(error, GN_CODE_INVALID, 0, "fstat");
}

gn_outcome gn_segment_open_named(const char *name, gn_segment **segment, gn_error *error) {
    char path[NAME_MAX + 2];
    int descriptor;
    uint64_t size = 0;
    if (slashed(name, path, error) != GN_DONE) return GN_FAILED;
    GNP_RETRY(descriptor, "shm_open", shm_open(path, O_RDWR, 0));
    // A symbolic link is not followed.
    if (descriptor < 0) return gnp_fail(error, errno == ELOOP ? GN_CODE_UNSAFE : gnp_code_of(errno), errno, "shm_open");
    gn_outcome outcome = look_at(descriptor, &size, error);
    if (outcome == GN_DONE) outcome = gnp_memory_reserve(descriptor, size, error);
    if (outcome == GN_DONE) return map(descriptor, size, false, segment, error);
    gnp_close(descriptor);
    return GN_FAILED;
}

gn_outcome gn_segment_remove(const char *name, gn_error *error) {
    char path[NAME_MAX + 2];
    int result;
    if (slashed(name, path, error) != GN_DONE) return GN_FAILED;
    GNP_RETRY(result, "shm_unlink", shm_unlink(path));
    return result == 0 ? GN_DONE : gnp_fail_errno(error, "shm_unlink");
}

// MARK: Afterwards

void *gn_segment_bytes(gn_segment *segment) { return segment->bytes; }

uint64_t gn_segment_size(const gn_segment *segment) { return segment->size; }

gn_handle gn_segment_handle(const gn_segment *segment) { return segment->descriptor; }

void gn_segment_let_go(gn_segment *segment) {
    gnp_close(segment->descriptor);
    segment->descriptor = -1;
}

void gn_segment_close(gn_segment *segment) {
    (void)munmap(segment->bytes, (size_t)segment->size);
    gn_segment_let_go(segment);
    free(segment);
}

// MARK: The boot

gn_outcome gn_boot_id(char *text, size_t capacity, gn_error *error) {
    char uuid[37];
    size_t digits = 0;
    if (capacity < 33) return gnp_fail(error, GN_CODE_INVALID, 0, "boot_id");
    if (gnp_boot_uuid(uuid, error) != GN_DONE) return GN_FAILED;
    for (const char *each = uuid; *each != 0; each++) {
        if (*each != '-' && digits < 32) text[digits++] = *each;
    }
    text[digits] = 0;
    return digits == 32 && strspn(text, "0123456789abcdefABCDEF") == 32 ? GN_DONE : gnp_fail(error, GN_CODE_OTHER, 0, "boot_id");
}

#endif
