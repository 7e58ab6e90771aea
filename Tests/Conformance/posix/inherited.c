// Listening descriptors from a service manager. The convention needs the child's process id, so a forked copy plays it.
#include "posix_support.h"

#include <sys/socket.h>
#include <sys/wait.h>

/// What the child is told; NULL: not set. "self" stands for its own process id.
struct telling {
    const char *process, *count;
    size_t expected;
};

static int play_child(const struct telling *telling, const int descriptors[2]) {
    char number[16];
    (void)snprintf(number, sizeof number, "%ld", (long)getpid());
    if (dup2(descriptors[0], 60) < 0 || dup2(descriptors[1], 61) < 0 || dup2(60, 3) < 0 || dup2(61, 4) < 0) return 2;
    (void)close(5);
    if (telling->process != NULL) (void)setenv("LISTEN_PID", strcmp(telling->process, "self") == 0 ? number : telling->process, 1);
    if (telling->count != NULL) (void)setenv("LISTEN_FDS", telling->count, 1);
    gn_handle first = 77;
    if (gn_inherited_listeners(&first) != telling->expected) return 3;
    if (telling->expected == 0) return first == GN_NO_HANDLE ? 0 : 4;
    gn_listener *listener;
    gn_error error;
    for (size_t i = 0; i < telling->expected; i++) {
        if ((fcntl((int)first + (int)i, F_GETFD) & FD_CLOEXEC) == 0) return 5;
        if (gn_listener_adopt(first + (gn_handle)i, &listener, &error) != GN_DONE) return 6;
        gn_listener_close(listener);
    }
    return first == 3 ? 0 : 7;
}

static void convention(void) {
    static const struct telling tellings[] = {
        {"self", "1", 1}, {"self", "2", 2}, {"self", "3", 2}, {"self", "0", 0}, {"self", NULL, 0}, {NULL, "1", 0}, {"1", "1", 0},
        {"self", "x", 0}, {"self", "1x", 0}, {"self", "-1", 0}, {"self", " 1", 0}, {"self", "", 0}, {"x", "1", 0},
        {"self", "99999999999999999999", 0},
    };
    struct place place;
    char second[192];
    place_make(&place);
    place_make_directory(&place, 0700);
    (void)snprintf(second, sizeof second, "%s/second.sock", place.directory);
    const int descriptors[2] = {foreign_socket(place.socket, SOCK_STREAM, 5), foreign_socket(second, SOCK_STREAM, 5)};
    for (size_t i = 0; i < sizeof tellings / sizeof tellings[0]; i++) {
        (void)fflush(stdout);
        pid_t child = fork();
        EXPECT(child >= 0);
        if (child == 0) _exit(play_child(&tellings[i], descriptors));
        int status;
        EXPECT(waitpid(child, &status, 0) == child);
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
            char what[64];
            (void)snprintf(what, sizeof what, "telling %zu ended with %d", i, status);
            check_fail(__FILE__, __LINE__, what);
        }
    }
    EXPECT(close(descriptors[0]) == 0 && close(descriptors[1]) == 0);
    gn_handle first;
    EXPECT(gn_inherited_listeners(&first) == 0);
    place_remove(&place);
}

void suite_inherited(void) { check("listening descriptors are taken when, and only when, they are meant for this process", convention); }
