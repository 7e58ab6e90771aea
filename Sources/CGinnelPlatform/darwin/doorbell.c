// Doorbells on macOS: one byte, 0, on the channel that both sides keep. kqueue wakes as fast for it as for anything that could be sent as a
// descriptor, and there is nothing to send.
// Written from documented interfaces; has not been run.
#include "../posix/posix.h"

#if defined(__APPLE__)

#include <stdlib.h>

size_t gn_doorbell_handles(void) { return 0; }

gn_outcome gn_doorbell_create(gn_channel *channel, gn_doorbell **doorbell, gn_error *error) {
    gn_doorbell *made = gnp_allocate(sizeof *made);
    if (made == NULL) return gnp_fail(error, GN_CODE_NO_MEMORY, ENOMEM, "calloc");
    made->watch.descriptor = -1;
    made->channel = channel;
    *doorbell = made;
    return GN_DONE;
}

gn_outcome gn_doorbell_adopt(gn_handle handle, gn_channel *channel, gn_doorbell **doorbell, gn_error *error) {
    if (handle == GN_NO_HANDLE) return gn_doorbell_create(channel, doorbell, error);
    // A doorbell is no descriptor here, whatever this one is.
    if (handle >= 0 && handle <= INT_MAX) gnp_close((int)handle);
    return gnp_fail(error, GN_CODE_UNSAFE, 0, "send");
}

gn_handle gn_doorbell_handle(const gn_doorbell *doorbell) {
    (void)doorbell;
    return GN_NO_HANDLE;
}

void gn_doorbell_ring(gn_doorbell *doorbell) {
    const char nothing = 0;
    ssize_t sent;
    // Where it does not fit, the peer has not yet read what wakes it anyway.
    GNP_RETRY(sent, "send", send(doorbell->channel->watch.descriptor, &nothing, sizeof nothing, GNP_SEND_FLAGS));
    (void)sent;
}

void gn_doorbell_close(gn_doorbell *doorbell) { free(doorbell); }

#endif
