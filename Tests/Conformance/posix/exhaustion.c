// A process without descriptors: real exhaustion, polite refusal, recovery.
#include "posix_support.h"

#include <sys/resource.h>

enum { MOST = 4096 };

static struct rlimit before;
static int fillers[MOST];
static size_t filler_count;

/// Opens descriptors until there is none left.
static void exhaust(void) {
    EXPECT(getrlimit(RLIMIT_NOFILE, &before) == 0);
    struct rlimit small = before;
    int highest = dup(0);
    EXPECT(highest >= 0 && close(highest) == 0);
    small.rlim_cur = (rlim_t)highest + 32;
    EXPECT(setrlimit(RLIMIT_NOFILE, &small) == 0);
    filler_count = 0;
    for (int each = dup(0); each >= 0 && filler_count < MOST; each = dup(0)) fillers[filler_count++] = each;
    EXPECT(errno == EMFILE);
}

static void recover(void) {
    while (filler_count > 0) (void)close(fillers[--filler_count]);
    EXPECT(setrlimit(RLIMIT_NOFILE, &before) == 0);
}

static void refuse_and_recover(void) {
    enum { CLIENTS = 5 };
    struct ends ends;
    gn_channel *clients[CLIENTS], *channel;
    gn_error error;
    char bytes[8];
    size_t count;
    bool drained;
    ends_listen(&ends, 16);
    for (size_t i = 0; i < CLIENTS; i++) EXPECT(gn_channel_connect(ends.path, &clients[i], &error) == GN_DONE);
    exhaust();
    gn_outcome accepted = gn_listener_accept(ends.listener, &channel, &error);
    gn_code code = error.code;
    gn_outcome refused[CLIENTS + 1];
    // One stays in the queue for later.
    for (size_t i = 0; i < CLIENTS - 1; i++) refused[i] = gn_listener_refuse(ends.listener, "too many", 8, &error);
    recover();
    EXPECT(accepted == GN_FAILED && code == GN_CODE_NO_DESCRIPTORS);
    for (size_t i = 0; i < CLIENTS - 1; i++) {
        EXPECT(refused[i] == GN_DONE);
        EXPECT(gn_channel_read(clients[i], bytes, sizeof bytes, &count, &drained, &error) == GN_DONE && count == 8);
        EXPECT(gn_channel_read(clients[i], bytes, sizeof bytes, &count, &drained, &error) == GN_END);
    }
    EXPECT(gn_listener_accept(ends.listener, &channel, &error) == GN_DONE);
    gn_channel_abort(channel);
    for (size_t i = 0; i < CLIENTS; i++) gn_channel_abort(clients[i]);
    ends_finish(&ends);
}

static void nobody_to_refuse(void) {
    struct ends ends;
    gn_error error;
    ends_listen(&ends, 16);
    exhaust();
    gn_outcome first = gn_listener_refuse(ends.listener, "x", 1, &error);
    // The reserve was taken back at once, not left for somebody else.
    int stolen = dup(0);
    gn_outcome second = gn_listener_refuse(ends.listener, "x", 1, &error);
    recover();
    EXPECT(stolen < 0 && first == GN_WOULD_BLOCK && second == GN_WOULD_BLOCK);
    ends_finish(&ends);
}

static void everything_else(void) {
    struct place place;
    gn_channel *first, *second;
    gn_poller *poller;
    gn_listener *listener;
    gn_endpoint_facts facts;
    gn_segment *segment;
    gn_doorbell *doorbell;
    char name[SEGMENT_NAME];
    gn_error errors[7];
    uint64_t limit, open_now = 99;
    place_make(&place);
    segment_name(name);
    exhaust();
    gn_outcome pair = gn_channel_pair(&first, &second, &errors[0]), poll = poller_open(&poller, &errors[1]);
    gn_outcome listen = gn_listener_open(&place.options, &listener, &facts, &errors[2]);
    gn_outcome connect = gn_channel_connect(place.socket, &first, &errors[3]);
    gn_outcome create = gn_segment_create(65536, &segment, &errors[4]), named = gn_segment_create_named(name, 65536, &segment, &errors[5]);
    gn_outcome bell = gn_doorbell_handles() == 0 ? GN_FAILED : gn_doorbell_create(NULL, &doorbell, &errors[6]);
    if (gn_doorbell_handles() == 0) errors[6].code = GN_CODE_NO_DESCRIPTORS;
    gn_descriptor_limit(&limit, &open_now);
    gn_endpoint_inspect(place.socket, &facts);
    recover();
    EXPECT(pair == GN_FAILED && poll == GN_FAILED && listen == GN_FAILED && connect == GN_FAILED);
    EXPECT(create == GN_FAILED && named == GN_FAILED && bell == GN_FAILED);
    for (size_t i = 0; i < 7; i++) EXPECT(errors[i].code == GN_CODE_NO_DESCRIPTORS);
#if defined(__linux__)
    EXPECT(open_now == 0);
#endif
    place_remove(&place);
}

static void limit_is_set(void) {
    struct rlimit now, start;
    uint64_t limit, open_now;
    gn_error error;
    EXPECT(getrlimit(RLIMIT_NOFILE, &start) == 0);
    EXPECT(gn_descriptor_limit_set(200, &error) == GN_DONE);
    gn_descriptor_limit(&limit, &open_now);
    EXPECT(limit == 200);
    EXPECT(getrlimit(RLIMIT_NOFILE, &now) == 0 && now.rlim_max == start.rlim_max);
    EXPECT(setrlimit(RLIMIT_NOFILE, &start) == 0);
}

void suite_exhaustion(void) {
    check("without descriptors a listener refuses with its reserve, and accepts again afterwards", refuse_and_recover);
    check("without descriptors and without clients refusing would block", nobody_to_refuse);
    check("without descriptors everything else says so", everything_else);
    check("the limit of descriptors can be set and leaves the hard limit alone", limit_is_set);
}
