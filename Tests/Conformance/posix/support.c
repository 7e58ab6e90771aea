// Support for the checks of Linux and macOS: see posix_support.h.
#include "posix_support.h"

#include <ftw.h>
#include <sys/socket.h>
#include <sys/un.h>

void support_time_limit(unsigned seconds) { (void)alarm(seconds); }

uint64_t support_open_descriptors(void) {
    uint64_t limit, open_now;
    gn_descriptor_limit(&limit, &open_now);
    return open_now;
}

uint64_t support_mappings(void) {
    uint64_t count = 0;
#if defined(__linux__)
    char line[4096];
    FILE *maps = fopen("/proc/self/maps", "r");
    EXPECT(maps != NULL);
    // One more than nothing, which would mean that it cannot be told.
    for (count = 1; fgets(line, sizeof line, maps) != NULL;) count += strstr(line, "memfd:ginnel") != NULL;
    EXPECT(fclose(maps) == 0);
#endif
    return count;
}

static void temporary_directory(char path[128]) {
    (void)snprintf(path, 128, "/tmp/ginnel-conformance-XXXXXX");
    EXPECT(mkdtemp(path) != NULL);
}

void support_long_endpoint(char path[512], size_t length, gn_listen_options *options) {
    char root[128];
    temporary_directory(root);
    size_t begin = strlen(root), name = strlen("/s.sock");
    EXPECT(rmdir(root) == 0);
    memcpy(path, root, begin);
    memset(path + begin, 'd', length - begin - name);
    memcpy(path + length - name, "/s.sock", name + 1);
    EXPECT(strlen(path) == length);
    *options = (gn_listen_options){
        .path = path, .create_directory = true, .directory_mode = 0700, .socket_mode = 0600, .group = -1, .backlog = 16};
}

void support_endpoint(char path[512], gn_listen_options *options) {
    char root[128];
    temporary_directory(root);
    (void)snprintf(path, 512, "%s/service.sock", root);
    EXPECT(rmdir(root) == 0);
    *options = (gn_listen_options){
        .path = path, .create_directory = true, .directory_mode = 0700, .socket_mode = 0600, .group = -1, .backlog = 16};
}

void support_endpoint_remove(const char *path) {
    char directory[512];
    (void)snprintf(directory, sizeof directory, "%s", path);
    char *slash = strrchr(directory, '/');
    *slash = 0;
    (void)rmdir(directory);
}

void support_directory(char path[512]) {
    char root[128];
    temporary_directory(root);
    (void)snprintf(path, 512, "%s/", root);
}

void support_write_file(const char *path, const char *text) {
    write_file(path, text);
    EXPECT(chmod(path, 0700) == 0);
}

void support_copy_program(const char *path, uint64_t size) {
    gn_peer self;
    char bytes[65536];
    gn_peer_self(&self);
    FILE *from = fopen(self.executable, "rb"), *to = fopen(path, "wb");
    EXPECT(from != NULL && to != NULL);
    for (size_t count; (count = fread(bytes, 1, sizeof bytes, from)) > 0;) EXPECT(fwrite(bytes, 1, count, to) == count);
    // Another program in its last byte, which no loader looks at.
    EXPECT(fputc('!', to) != EOF && fclose(to) == 0 && fclose(from) == 0 && chmod(path, 0700) == 0);
    EXPECT(size == 0 || truncate(path, (off_t)size) == 0);
}

// MARK: Descriptors that travel

void support_send(struct ends *ends, uint64_t token, uint32_t process, const gn_handle *handles, size_t count) {
    (void)process;
    gn_span span = {.bytes = "h", .count = 1};
    size_t sent;
    gn_error error;
    EXPECT(gn_channel_write_handles(token == TOKEN_A ? ends->a : ends->b, &span, 1, handles, count, &sent, &error) == GN_DONE);
}

void support_take(struct ends *ends, uint64_t token, gn_handle *handles, size_t count) {
    char byte;
    ends_read_exactly(ends, token, &byte, 1);
    for (size_t i = 0; i < count; i++) {
        handles[i] = gn_channel_take_handle(token == TOKEN_A ? ends->a : ends->b);
        EXPECT(handles[i] != GN_NO_HANDLE);
    }
}

gn_handle ends_pass(struct ends *ends, gn_handle handle) {
    gn_handle taken;
    support_send(ends, TOKEN_A, (uint32_t)getpid(), &handle, 1);
    support_take(ends, TOKEN_B, &taken, 1);
    return taken;
}

// MARK: Files

void place_make(struct place *place) {
    memset(place, 0, sizeof *place);
    temporary_directory(place->root);
    (void)snprintf(place->directory, sizeof place->directory, "%s/service", place->root);
    (void)snprintf(place->socket, sizeof place->socket, "%s/service.sock", place->directory);
    (void)snprintf(place->lock, sizeof place->lock, "%s.lock", place->socket);
    place->options = (gn_listen_options){
        .path = place->socket, .create_directory = true, .directory_mode = 0700, .socket_mode = 0600, .group = -1, .backlog = 16};
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *where) {
    (void)status, (void)kind, (void)where;
    return remove(path);
}

void support_directory_remove(const char *path) { EXPECT(nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS) == 0); }

void place_remove(struct place *place) { support_directory_remove(place->root); }

void place_make_directory(struct place *place, mode_t mode) {
    EXPECT(mkdir(place->directory, 0700) == 0);
    EXPECT(chmod(place->directory, mode) == 0);
}

bool exists(const char *path) {
    struct stat status;
    return lstat(path, &status) == 0;
}

mode_t mode_of(const char *path) {
    struct stat status;
    EXPECT(lstat(path, &status) == 0);
    return status.st_mode & 07777;
}

void write_file(const char *path, const char *text) {
    FILE *file = fopen(path, "w");
    EXPECT(file != NULL);
    EXPECT(fputs(text, file) >= 0);
    EXPECT(fclose(file) == 0);
}

bool file_holds(const char *path, const char *text) {
    char found[256] = {0};
    FILE *file = fopen(path, "r");
    if (file == NULL) return false;
    size_t count = fread(found, 1, sizeof found - 1, file);
    (void)fclose(file);
    return count == strlen(text) && strcmp(found, text) == 0;
}

int foreign_socket(const char *path, int type, int backlog) {
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    EXPECT(strlen(path) < sizeof name.sun_path);
    memcpy(name.sun_path, path, strlen(path) + 1);
    int descriptor = socket(AF_UNIX, type, 0);
    EXPECT(descriptor >= 0);
    EXPECT(bind(descriptor, (struct sockaddr *)&name, sizeof name) == 0);
    EXPECT(backlog < 0 || listen(descriptor, backlog) == 0);
    return descriptor;
}

// MARK: Listeners

gn_listener *open_listener(const struct place *place) {
    gn_listener *listener;
    gn_endpoint_facts facts;
    gn_error error;
    EXPECT(gn_listener_open(&place->options, &listener, &facts, &error) == GN_DONE);
    return listener;
}

void expect_refusal(const struct place *place, gn_code code, gn_endpoint_facts *facts) {
    gn_listener *listener;
    gn_error error;
    EXPECT_CODE(gn_listener_open(&place->options, &listener, facts, &error), error, code);
}

void needs_root(void) {
    if (geteuid() != 0) check_skip("it takes the superuser's rights");
}

// MARK: Suites

/// What Windows has instead is named where there is something.
static const check_suite suites[] = {
    {"directories", suite_directories, "modes and owners of directories and files; a pipe lies in no directory, and has a security descriptor", "security"},
    {"sockets", suite_sockets, "what stands at a socket's path; a pipe is not a file, and goes with its last handle", "security"},
    {"lock", suite_lock, "a lock file; a pipe's first instance decides, and there is nothing beside it that could be left behind", "pipes"},
    {"paths", suite_paths, "paths of sockets and the variables that lead to them; a pipe's name has the user's SID in it", "security"},
    {"files", suite_files, "names that lead to pipes, sockets and devices, and system calls by their names", "faults"},
    {"descriptors", suite_handles, "descriptors that a socket carries; a pipe carries bytes alone", "lending"},
    {"identity", suite_identity, "users, groups and processes as Linux and macOS number them, and pidfds", "identity"},
    {"kernel", suite_kernel, "signals, half-closed sockets, and what these kernels promise of events", "pipe endings"},
    {"children", suite_children, "signals, zombies and inherited descriptors", "processes"},
    {"termination", suite_termination, "SIGINT and SIGTERM, and a parent-death signal that belongs to a thread", "processes"},
    {"inherited", suite_inherited, "listening descriptors from systemd; a pipe's instances cannot be handed on", NULL},
    {"segment files", suite_posix_memory, "segments that are files with modes and owners", "segments"},
    {"sealed", suite_sealed, "memory as a descriptor, its seals and size, and doorbells that are descriptors", "segments"},
    {"faults", suite_faults, "each system call, by its name, interrupted or failed by script", "faults"},
    {"memory faults", suite_memory_faults, "system calls of shared memory, interrupted or failed by script", "segments"},
    {"exhaustion", suite_exhaustion, "a process that has really used up its descriptors; Windows has no limit that it could reach", "faults"},
};

static const check_suite waiting[] = {
    {"descriptors", suite_handles, "descriptors that a socket carries; a pipe carries bytes alone", NULL},
    {"kernel", suite_kernel, "signals, half-closed sockets, and what these kernels promise of events", NULL},
    {"sealed", suite_sealed, "memory as a descriptor, its seals and size, and doorbells that are descriptors", NULL},
};

void support_waiting_suites(void) { check_suites(waiting, sizeof waiting / sizeof waiting[0]); }

void support_suites(void) { check_suites(suites, sizeof suites / sizeof suites[0]); }

const char *support_difference(const char *sentence) {
    (void)sentence;
    return NULL;
}

unsigned support_unknown_differences(void) { return 0; }
