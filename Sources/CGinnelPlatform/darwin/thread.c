// Thread names on macOS: a thread can name only itself, with 63 bytes.
// Written from documented interfaces; has not been run.
#include "../posix/posix.h"

#if defined(__APPLE__)

#include <pthread.h>

void gnp_thread_name(const char *name) { (void)pthread_setname_np(name); }

#endif
