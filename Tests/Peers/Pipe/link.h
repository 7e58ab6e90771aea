// link.h: one connection and the poller it is in, for a program that does one thing at a time.
//
// Every function waits for what it is asked for, until the moment `give_up` of the link; a link that was given up says so, and nothing hangs.
#ifndef LINK_H
#define LINK_H

#include "ginnel_platform.h"

typedef enum link_result {
    LINK_DONE,
    LINK_END,   ///< the other side has ended the connection, before the first byte
    LINK_CUT,   ///< in the middle
    LINK_LOST,  ///< the connection broke; `error` says how
    LINK_LATE,  ///< it took too long
} link_result;

enum { LINK_TOKEN = 1, LINK_BELL = 2, LINK_LISTENER = 3 };

struct link {
    gn_poller *poller;
    gn_channel *channel;
    uint64_t give_up;   ///< by gn_clock_awake
    uint32_t seen;      ///< events of the channel that nobody has waited for
    bool rung;          ///< an event of LINK_BELL or LINK_LISTENER
    gn_error error;
};

/// Nanoseconds that a link may take before it is given up.
#define LINK_PATIENCE UINT64_C(20000000000)

/// A new link with nothing in it, or with a channel, which it owns.
void link_open(struct link *link, gn_channel *channel);
/// Connects; a service that is not there yet is waited for.
link_result link_connect(struct link *link, const char *path);
/// The next connection of a listener.
link_result link_accept(struct link *link, gn_listener *listener);
void link_close(struct link *link);

/// Waits for an event, at most so many nanoseconds. LATE: the link is given up.
link_result link_wait(struct link *link, uint64_t most);
/// Reads what there is; LINK_DONE with a count of 0: nothing.
link_result link_read_some(struct link *link, void *bytes, size_t room, size_t *count);
link_result link_read(struct link *link, void *bytes, size_t count);
link_result link_write(struct link *link, const void *bytes, size_t count);

#endif
