// Handles beside bytes. A pipe carries none: on Windows a handle is put into another process by one that may open that process, and its value is sent as bytes (lending.c). So a
// channel neither sends nor receives any by itself.
#include "win32.h"

#if defined(_WIN32)

bool gn_handles_travel(void) { return false; }

gn_outcome gn_channel_write_handles(gn_channel *channel, const gn_span *spans, size_t span_count, const gn_handle *handles,
                                    size_t handle_count, size_t *count, gn_error *error) {
    (void)channel, (void)spans, (void)span_count, (void)handles, (void)count;
    if (handle_count == 0 || handle_count > GN_HANDLES_PER_WRITE) return gnp_fail(error, GN_CODE_INVALID, 0, "WriteFile");
    return gnp_fail(error, GN_CODE_UNSUPPORTED, 0, "WriteFile");
}

void gn_channel_accept_handles(gn_channel *channel) { (void)channel; }

void gn_channel_refuse_handles(gn_channel *channel) { (void)channel; }

bool gn_channel_lost_handles(gn_channel *channel) {
    (void)channel;
    return false;
}

gn_handle gn_channel_take_handle(gn_channel *channel) {
    (void)channel;
    return GN_NO_HANDLE;
}

void gn_handle_close(gn_handle handle) { gnp_handle_close((HANDLE)handle); }

#endif
