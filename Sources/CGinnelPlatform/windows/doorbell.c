// Doorbells: one byte on the pipe that both keep. Whoever sleeps waits for that pipe to be readable, so nothing of its own has to travel or to be watched.
//
// A byte that finds no room is not missed: then unread ones are on their way already, and each of them wakes.
#include "win32.h"

#if defined(_WIN32)

#include <stdlib.h>

struct gn_doorbell {
    SRWLOCK lock;  ///< one thread at a time rings
    gn_channel *channel;
    gn_poller *poller;  ///< in which somebody listens to it
};

size_t gn_doorbell_handles(void) { return 0; }

gn_outcome gn_doorbell_create(gn_channel *channel, gn_doorbell **doorbell, gn_error *error) {
    gn_doorbell *made = gnp_allocate(sizeof *made);
    if (made == NULL) return gnp_fail_memory(error);
    InitializeSRWLock(&made->lock);
    made->channel = channel;
    *doorbell = made;
    return GN_DONE;
}

gn_outcome gn_doorbell_adopt(gn_handle handle, gn_channel *channel, gn_doorbell **doorbell, gn_error *error) {
    if (handle == GN_NO_HANDLE) return gn_doorbell_create(channel, doorbell, error);
    gn_handle_close(handle);
    return gnp_fail(error, GN_CODE_UNSAFE, 0, "gn_doorbell_adopt");
}

gn_handle gn_doorbell_handle(const gn_doorbell *doorbell) {
    (void)doorbell;
    return GN_NO_HANDLE;
}

void gn_doorbell_ring(gn_doorbell *doorbell) {
    const gn_span byte = {.bytes = "", .count = 1};
    size_t count;
    gn_error error;
    AcquireSRWLockExclusive(&doorbell->lock);
    (void)gn_channel_write(doorbell->channel, &byte, 1, &count, &error);
    ReleaseSRWLockExclusive(&doorbell->lock);
}

gn_outcome gn_poller_add_doorbell(gn_poller *poller, gn_doorbell *doorbell, uint64_t token, gn_error *error) {
    const gnp_watch *watch = &doorbell->channel->watch;
    if (doorbell->poller != NULL) return gnp_fail(error, GN_CODE_EXISTS, 0, "gn_poller_add_doorbell");
    if (watch->poller != poller || watch->token != token) return gnp_fail(error, GN_CODE_INVALID, 0, "gn_poller_add_doorbell");
    doorbell->poller = poller;
    return GN_DONE;
}

void gn_poller_remove_doorbell(gn_poller *poller, gn_doorbell *doorbell) {
    if (doorbell->poller == poller) doorbell->poller = NULL;
}

void gn_doorbell_close(gn_doorbell *doorbell) { free(doorbell); }

#endif
