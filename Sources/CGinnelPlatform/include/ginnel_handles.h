// ginnel_handles.h: the part of the contract that is about descriptors which travel between processes.
//
// A descriptor reaches a peer in one of two ways, and gn_handles_travel says in which. On POSIX it travels beside bytes: the kernel puts it into the peer's table when the peer reads them.
// On Windows it is lent: whoever has it puts a copy into the peer's process and sends the copy's number, eight bytes, in a message; the peer claims the number before it uses it.
//
// Included by ginnel_platform.h, whose rules hold here too.
#ifndef GINNEL_HANDLES_H
#define GINNEL_HANDLES_H

#include "ginnel_platform.h"

#ifdef __cplusplus
extern "C" {
#endif

// MARK: Beside bytes

/// True where descriptors travel beside bytes (gn_channel_write_handles and the functions that receive), false where they are lent and claimed. Any thread.
bool gn_handles_travel(void);

/// As gn_channel_write, with 1 to GN_HANDLES_PER_WRITE descriptors that arrive with the first byte. They stay open and owned by the
/// caller. Either all descriptors and at least one byte are taken, or nothing is. Errors: as there, UNSUPPORTED (Windows), and
/// NO_DESCRIPTORS (too many are on their way). INVALID for one that is not open.
gn_outcome gn_channel_write_handles(gn_channel *channel, const gn_span *spans, size_t span_count, const gn_handle *handles,
                                    size_t handle_count, size_t *count, gn_error *error);

/// From the next read on descriptors that come with bytes are kept. A channel does not do so by default: a stranger has no business filling our table of descriptors, and reading
/// without them is faster. May be called again. On the side of the thread that reads.
void gn_channel_accept_handles(gn_channel *channel);

/// The opposite: those that wait are closed, and those that come with the next reads are closed unseen, whenever they were sent. Neither counts as lost; what was lost before is still told.
/// May be called again, and where nothing was accepted. On the side of the thread that reads.
void gn_channel_refuse_handles(gn_channel *channel);

/// The oldest received descriptor that nobody has taken, now owned by the caller, or GN_NO_HANDLE. On the side of the thread that reads.
gn_handle gn_channel_take_handle(gn_channel *channel);

/// True when a read since the last call of this function came without its descriptors, because this process has no place left for them or more than GN_HANDLES_WAITING would wait. All
/// descriptors of such a message are closed and none is delivered, so that what can be taken no longer matches what the bytes announce. Those of earlier messages stay. Asked after each
/// read, it tells where the gap is: whatever waits at that moment was sent before what is missing. Descriptors that nobody wants are not lost. On the side of the thread that reads.
bool gn_channel_lost_handles(gn_channel *channel);

// MARK: As numbers

/// Puts a copy of `handle` into the process at the other end, which is the one that opened that end, and gives the copy's number there. The caller keeps its own. A segment's copy can be asked
/// for its size and mapped, and no more; any other has the rights of `handle`. It is the peer's from then on, and goes with its process where it is never claimed: nobody takes it back.
/// On the side of the thread that writes. Errors: DENIED (this process may not put handles into that one: another user, or more rights than ours), NOT_FOUND (the process has ended, also
/// when another has its id by now), INVALID (`handle`), NO_MEMORY, OTHER, UNSUPPORTED (POSIX).
gn_outcome gn_channel_lend_handle(gn_channel *channel, gn_handle handle, uint64_t *number, gn_error *error);

/// The segment's handle that a peer says it has lent to this process; now owned by the caller, and to be given to gn_segment_adopt or closed. UNSAFE, with nothing touched, for a number that no
/// lent segment has: 0, one out of range, of nothing open, of another kind of object or with other rights, of a handle that segments here keep, or one that was claimed before. A process
/// that has asked the kernel to end it for each wrong handle (ProcessStrictHandleCheckPolicy) should not claim. Any thread. Other errors: OTHER, UNSUPPORTED (POSIX).
gn_outcome gn_handle_claim(uint64_t number, gn_handle *handle, gn_error *error);

/// Closes a descriptor from gn_channel_take_handle, gn_handle_claim or gn_channel_release. GN_NO_HANDLE is allowed.
void gn_handle_close(gn_handle handle);

#ifdef __cplusplus
}
#endif

#endif
