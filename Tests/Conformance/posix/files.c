// Files that are read for a digest: names that lead to what is none, and system calls that fail.
#include "posix_support.h"

#include <sys/socket.h>

static void expect_none(const char *path, gn_code code) {
    gn_handle file;
    gn_error error;
    EXPECT_CODE(gn_file_open(path, &file, &error), error, code);
    EXPECT(error.operation != NULL);
}

/// A pipe without a writer would have whoever opens it wait for one.
static void what_is_no_file(void) {
    struct place place;
    char path[256];
    place_make(&place);
    (void)snprintf(path, sizeof path, "%s/pipe", place.root);
    EXPECT(mkfifo(path, 0600) == 0);
    expect_none(path, GN_CODE_INVALID);
    expect_none(place.root, GN_CODE_INVALID);
    expect_none("/dev/zero", GN_CODE_INVALID);
#if defined(__linux__)
    (void)snprintf(path, sizeof path, "%s/socket", place.root);
    int socket = foreign_socket(path, SOCK_STREAM, 1);
    expect_none(path, GN_CODE_INVALID);
    (void)close(socket);
#endif
    (void)snprintf(path, sizeof path, "%s/none/file", place.root);
    expect_none(path, GN_CODE_NOT_FOUND);
    place_remove(&place);
}

static void links(void) {
    struct place place;
    char path[256], link[256], bytes[8];
    gn_handle file;
    gn_error error;
    size_t count;
    place_make(&place);
    (void)snprintf(path, sizeof path, "%s/file", place.root);
    (void)snprintf(link, sizeof link, "%s/link", place.root);
    write_file(path, "text");
    EXPECT(symlink(path, link) == 0 && gn_file_open(link, &file, &error) == GN_DONE);
    EXPECT((fcntl((int)file, F_GETFD) & FD_CLOEXEC) != 0);
    EXPECT(gn_file_read(file, bytes, sizeof bytes, &count, &error) == GN_DONE && count == 4 && memcmp(bytes, "text", 4) == 0);
    gn_handle_close(file);
    EXPECT(unlink(path) == 0);
    expect_none(link, GN_CODE_NOT_FOUND);
    place_remove(&place);
}

static void failing_calls(void) {
    struct place place;
    char path[256], bytes[8];
    gn_handle file;
    gn_error error;
    size_t count;
    place_make(&place);
    (void)snprintf(path, sizeof path, "%s/file", place.root);
    write_file(path, "text");
    EXPECT(gn_fault_add("openat", 0, 1, EACCES));
    expect_none(path, GN_CODE_DENIED);
    EXPECT(gn_fault_add("fstat", 0, 1, EIO));
    expect_none(path, GN_CODE_OTHER);
    EXPECT(gn_fault_add("openat", 0, 3, EINTR) && gn_fault_add("read", 0, 3, EINTR));
    EXPECT(gn_file_open(path, &file, &error) == GN_DONE);
    EXPECT(gn_file_read(file, bytes, sizeof bytes, &count, &error) == GN_DONE && count == 4);
    EXPECT(gn_fault_add("read", 0, 1, EIO));
    EXPECT_CODE(gn_file_read(file, bytes, sizeof bytes, &count, &error), error, GN_CODE_OTHER);
    gn_handle_close(file);
    place_remove(&place);
}

void suite_files(void) {
    check("a pipe, a socket, a device and a directory are no files, and nobody waits for them", what_is_no_file);
    check("links to a file are followed, and no child inherits what was opened", links);
    check("a file that cannot be opened, asked for or read says so and leaves nothing open", failing_calls);
}
