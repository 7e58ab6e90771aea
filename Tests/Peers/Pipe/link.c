// Links: see link.h. The contract's events are edges, so each operation is tried first, and an event that came in between is kept until it is asked for.
#include "link.h"

#include "check.h"

#include <string.h>

enum { LINGER = 2000000000, LOOK_AGAIN = 1000000 };

void link_open(struct link *link, gn_channel *channel) {
    memset(link, 0, sizeof *link);
    link->give_up = gn_clock_awake() + LINK_PATIENCE;
    EXPECT(gn_poller_open(GN_POLLER_QUEUE, &link->poller, &link->error) == GN_DONE);
    link->channel = channel;
    if (channel != NULL) EXPECT(gn_poller_add_channel(link->poller, channel, LINK_TOKEN, &link->error) == GN_DONE);
}

void link_close(struct link *link) {
    if (link->channel != NULL) gn_channel_close(link->channel, LINGER);
    if (link->poller != NULL) gn_poller_close(link->poller);
    link->channel = NULL;
    link->poller = NULL;
}

link_result link_wait(struct link *link, uint64_t most) {
    gn_event events[8];
    size_t count;
    uint64_t now = gn_clock_awake();
    if (now >= link->give_up) return LINK_LATE;
    uint64_t left = link->give_up - now;
    if (gn_poller_wait(link->poller, events, 8, most < left ? most : left, &count, &link->error) != GN_DONE) return LINK_LOST;
    for (size_t i = 0; i < count; i++) {
        if (events[i].token == LINK_TOKEN) link->seen |= events[i].kind;
        else link->rung = true;
    }
    return LINK_DONE;
}

link_result link_connect(struct link *link, const char *path) {
    gn_channel *channel;
    link_open(link, NULL);
    while (gn_channel_connect(path, &channel, &link->error) != GN_DONE) {
        // Nothing tells that a service begins to listen.
        gn_code code = link->error.code;
        if (code != GN_CODE_NOT_FOUND && code != GN_CODE_REFUSED && code != GN_CODE_BUSY) return LINK_LOST;
        if (link_wait(link, LOOK_AGAIN) != LINK_DONE) return LINK_LATE;
    }
    link->channel = channel;
    // Before anything is read: what comes without having been asked for is closed.
    gn_channel_accept_handles(channel);
    return gn_poller_add_channel(link->poller, channel, LINK_TOKEN, &link->error) == GN_DONE ? LINK_DONE : LINK_LOST;
}

link_result link_accept(struct link *link, gn_listener *listener) {
    gn_channel *channel;
    link_result result = LINK_DONE;
    link_open(link, NULL);
    if (gn_poller_add_listener(link->poller, listener, LINK_LISTENER, &link->error) != GN_DONE) return LINK_LOST;
    gn_outcome outcome;
    while ((outcome = gn_listener_accept(listener, &channel, &link->error)) == GN_WOULD_BLOCK && result == LINK_DONE) result = link_wait(link, GN_WAIT_FOR_EVER);
    gn_poller_remove_listener(link->poller, listener);
    link->rung = false;
    if (outcome != GN_DONE) return outcome == GN_FAILED ? LINK_LOST : result;
    link->channel = channel;
    return gn_poller_add_channel(link->poller, channel, LINK_TOKEN, &link->error) == GN_DONE ? LINK_DONE : LINK_LOST;
}

link_result link_read_some(struct link *link, void *bytes, size_t room, size_t *count) {
    bool drained;
    *count = 0;
    switch (gn_channel_read(link->channel, bytes, room, count, &drained, &link->error)) {
    case GN_DONE: return LINK_DONE;
    case GN_WOULD_BLOCK: *count = 0; return LINK_DONE;
    case GN_END: return LINK_END;
    default: return LINK_LOST;
    }
}

link_result link_read(struct link *link, void *bytes, size_t count) {
    for (size_t done = 0; done < count;) {
        size_t part;
        link_result result = link_read_some(link, (uint8_t *)bytes + done, count - done, &part);
        if (result == LINK_END && done > 0) return LINK_CUT;
        if (result == LINK_DONE && part == 0) result = link_wait(link, GN_WAIT_FOR_EVER);
        if (result != LINK_DONE) return result;
        done += part;
    }
    return LINK_DONE;
}

link_result link_write(struct link *link, const void *bytes, size_t count) {
    for (size_t done = 0; done < count;) {
        gn_span span = {.bytes = (const uint8_t *)bytes + done, .count = count - done};
        size_t part = 0;
        gn_outcome outcome = gn_channel_write(link->channel, &span, 1, &part, &link->error);
        if (outcome == GN_FAILED) return LINK_LOST;
        if (outcome == GN_WOULD_BLOCK) {
            link_result result = link_wait(link, GN_WAIT_FOR_EVER);
            if (result != LINK_DONE) return result;
        } else {
            done += part;
        }
    }
    return LINK_DONE;
}
