// Thread names on Linux: fifteen bytes, cut between characters.
#include "../posix/posix.h"

#if defined(__linux__)

#include <pthread.h>
#include <string.h>

void gnp_thread_name(const char *name) {
    char cut[16] = {0};
    size_t length = strlen(name);
    if (length > 15) {
        length = 15;
        while (length > 0 && ((unsigned char)name[length] & 0xc0) == 0x80) length--;
    }
    memcpy(cut, name, length);
    (void)pthread_setname_np(pthread_self(), cut);
}

#endif
