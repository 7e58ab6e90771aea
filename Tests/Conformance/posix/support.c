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

static void temporary_directory(char path[128]) {
    (void)snprintf(path, 128, "/tmp/ginnel-conformance-XXXXXX");
    EXPECT(mkdtemp(path) != NULL);
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

unsigned support_many_rings(void) { return 300000; }

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

void place_remove(struct place *place) { EXPECT(nftw(place->root, remove_one, 8, FTW_DEPTH | FTW_PHYS) == 0); }

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

bool needs_root(const char *what) {
    if (geteuid() == 0) return false;
    (void)printf("# without the superuser's rights, not looked at: %s\n", what);
    return true;
}

// MARK: Partners

void partner_start(struct partner *partner, const char *const *role) {
    ends_pair(&partner->ends);
    gn_handle handle = gn_channel_release(partner->ends.b);
    partner->ends.b = NULL;
    partner->process = child_start(role, &handle, 1, GN_NO_HANDLE);
    gn_handle_close(handle);
}

void partner_await(struct partner *partner) {
    char byte;
    ends_read_exactly(&partner->ends, TOKEN_A, &byte, 1);
}

int32_t partner_finish(struct partner *partner) {
    ends_finish(&partner->ends);
    return child_finish(partner->process);
}

// MARK: Suites

void support_suites(void) {
    suite_directories();
    suite_sockets();
    suite_lock();
    suite_paths();
    suite_handles();
    suite_identity();
    suite_edges();
    suite_children();
    suite_inherited();
    suite_posix_memory();
    suite_sealed();
    suite_faults();
    suite_memory_faults();
    suite_exhaustion();
}
