// Child processes on Linux: nothing to add, since everything that is opened here is closed by exec from birth.
#include "../posix/posix.h"

#if defined(__linux__)

#include <unistd.h>

char **gnp_environment(void) { return environ; }

int gnp_spawn_prepare(posix_spawnattr_t *attributes, short *flags, posix_spawn_file_actions_t *actions, size_t inherited_count) {
    (void)attributes;
    (void)flags;
    (void)actions;
    (void)inherited_count;
    return 0;
}

#endif
