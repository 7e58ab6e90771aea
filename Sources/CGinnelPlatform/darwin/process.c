// Child processes on macOS: every descriptor is closed but the standard streams and those that are given to the child.
// Written from documented interfaces; has not been run.
#include "../posix/posix.h"

#if defined(__APPLE__)

#include <crt_externs.h>
#include <unistd.h>

// A dynamic library has no `environ` of its own.
char **gnp_environment(void) { return *_NSGetEnviron(); }

int gnp_spawn_prepare(posix_spawnattr_t *attributes, short *flags, posix_spawn_file_actions_t *actions, size_t inherited_count) {
    (void)attributes;
    *flags |= POSIX_SPAWN_CLOEXEC_DEFAULT;
    // The target of a dup2 action is kept open by itself; the standard streams have to be named.
    (void)inherited_count;
    int native = 0;
    for (int each = STDIN_FILENO; each <= STDERR_FILENO && native == 0; each++) {
        native = posix_spawn_file_actions_addinherit_np(actions, each);
    }
    return native;
}

#endif
