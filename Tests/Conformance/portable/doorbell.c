// Doorbells: a ring is heard, whenever and from wherever it comes, and not otherwise.
//
// A doorbell without a descriptor rings through its channel, so here the channel that leads to the ringing side always has the doorbell's token, and who has heard a ring reads what is on it.
#include "check.h"
#include "support.h"

#include <stdatomic.h>
#include <stdlib.h>

/// A doorbell that `a` has made and sent to `b`.
struct bell {
    struct ends ends;
    gn_doorbell *made, *adopted;
};

static gn_doorbell *passed(struct ends *ends, gn_doorbell *doorbell) {
    gn_doorbell *adopted;
    gn_error error;
    gn_handle handle = gn_doorbell_handle(doorbell);
    EXPECT((handle != GN_NO_HANDLE) == (gn_doorbell_handles() == 1));
    if (handle != GN_NO_HANDLE) handle = ends_pass(ends, handle);
    EXPECT(gn_doorbell_adopt(handle, ends->b, &adopted, &error) == GN_DONE);
    return adopted;
}

/// Nobody listens to it yet.
static void bell_make(struct bell *bell) {
    gn_error error;
    ends_pair(&bell->ends);
    gn_channel_accept_handles(bell->ends.b);
    EXPECT(gn_doorbell_create(bell->ends.a, &bell->made, &error) == GN_DONE);
    bell->adopted = passed(&bell->ends, bell->made);
    ends_look(&bell->ends, 0);
    memset(bell->ends.seen, 0, sizeof bell->ends.seen);
}

static void bell_finish(struct bell *bell) {
    if (bell->made != NULL) gn_doorbell_close(bell->made);
    if (bell->adopted != NULL) gn_doorbell_close(bell->adopted);
    ends_finish(&bell->ends);
}

static void listen_to(struct bell *bell, gn_doorbell *doorbell, uint64_t token) {
    gn_error error;
    EXPECT(gn_poller_add_doorbell(bell->ends.poller, doorbell, token, &error) == GN_DONE);
}

/// Takes what a ring has left on the channel.
static void read_rings(struct ends *ends, uint64_t token) {
    char bytes[64];
    size_t count;
    bool drained = false;
    gn_error error;
    while (gn_doorbell_handles() == 0 && gn_channel_read(token == TOKEN_A ? ends->a : ends->b, bytes, sizeof bytes, &count, &drained, &error) == GN_DONE) {
        for (size_t i = 0; i < count; i++) EXPECT(bytes[i] == 0);
    }
}

static void hear(struct ends *ends, uint64_t token) {
    ends_await(ends, token, GN_EVENT_READABLE);
    EXPECT(gn_doorbell_handles() == 0 || (ends->seen[token] & GN_EVENT_WRITABLE) != 0);
    ends->seen[token] = 0;
    read_rings(ends, token);
}

static bool is_silent(struct ends *ends, uint64_t token) {
    ends_look(ends, 0);
    ends_look(ends, 1000000);
    return (ends->seen[token] & GN_EVENT_READABLE) == 0;
}

// MARK: Rings

static void each_ring(void) {
    struct bell bell;
    bell_make(&bell);
    listen_to(&bell, bell.adopted, TOKEN_B);
    EXPECT(is_silent(&bell.ends, TOKEN_B));
    for (int turn = 0; turn < 1000; turn++) {
        gn_doorbell_ring(bell.made);
        hear(&bell.ends, TOKEN_B);
    }
    EXPECT(is_silent(&bell.ends, TOKEN_B) && is_silent(&bell.ends, TOKEN_A));
    bell_finish(&bell);
}

static void towards_its_maker(void) {
    struct bell bell;
    bell_make(&bell);
    listen_to(&bell, bell.made, TOKEN_A);
    for (int turn = 0; turn < 100; turn++) {
        gn_doorbell_ring(bell.adopted);
        hear(&bell.ends, TOKEN_A);
    }
    EXPECT(is_silent(&bell.ends, TOKEN_A) && is_silent(&bell.ends, TOKEN_B));
    bell_finish(&bell);
}

static void before_anybody_listens(void) {
    struct bell bell;
    bell_make(&bell);
    gn_doorbell_ring(bell.made);
    listen_to(&bell, bell.adopted, TOKEN_B);
    hear(&bell.ends, TOKEN_B);
    bell_finish(&bell);
}

static void ring_often(unsigned rings) {
    struct bell bell;
    bell_make(&bell);
    listen_to(&bell, bell.adopted, TOKEN_B);
    for (unsigned turn = 0; turn < rings; turn++) gn_doorbell_ring(bell.made);
    hear(&bell.ends, TOKEN_B);
    ends_look(&bell.ends, 0);
    read_rings(&bell.ends, TOKEN_B);
    bell.ends.seen[TOKEN_B] = 0;
    EXPECT(is_silent(&bell.ends, TOKEN_B));
    gn_doorbell_ring(bell.made);
    hear(&bell.ends, TOKEN_B);
    bell_finish(&bell);
}

static void many_at_once(void) { ring_often(2000); }

/// More than any channel has room for.
static void very_many_at_once(void) { ring_often(300000); }

static void on_a_full_channel(void) {
    struct ends ends;
    gn_doorbell *doorbell;
    gn_error error;
    ends_pair(&ends);
    EXPECT(gn_doorbell_create(ends.a, &doorbell, &error) == GN_DONE);
    size_t written = ends_fill(&ends, TOKEN_A);
    for (int turn = 0; turn < 1000; turn++) gn_doorbell_ring(doorbell);
    ends_discard(&ends, TOKEN_B, written);
    gn_doorbell_close(doorbell);
    ends_finish(&ends);
}

static void removed(void) {
    struct bell bell;
    gn_error error;
    bell_make(&bell);
    for (int turn = 0; turn < 3; turn++) {
        listen_to(&bell, bell.adopted, TOKEN_B);
        // One ring stands ready already, one comes later.
        gn_doorbell_ring(bell.made);
        gn_poller_remove_doorbell(bell.ends.poller, bell.adopted);
        gn_poller_remove_channel(bell.ends.poller, bell.ends.b);
        gn_doorbell_ring(bell.made);
        bell.ends.seen[TOKEN_B] = 0;
        EXPECT(is_silent(&bell.ends, TOKEN_B));
        EXPECT(gn_poller_add_channel(bell.ends.poller, bell.ends.b, TOKEN_B, &error) == GN_DONE);
        listen_to(&bell, bell.adopted, TOKEN_B);
        hear(&bell.ends, TOKEN_B);
        gn_poller_remove_doorbell(bell.ends.poller, bell.adopted);
    }
    bell_finish(&bell);
}

static void closed(void) {
    struct bell bell;
    bell_make(&bell);
    listen_to(&bell, bell.adopted, TOKEN_B);
    gn_doorbell_ring(bell.made);
    gn_doorbell_close(bell.adopted);
    bell.adopted = NULL;
    gn_channel_abort(bell.ends.b);
    bell.ends.b = NULL;
    EXPECT(is_silent(&bell.ends, TOKEN_B));
    // Nobody is there any more.
    for (int turn = 0; turn < 100; turn++) gn_doorbell_ring(bell.made);
    bell_finish(&bell);
}

static void added_twice(void) {
    struct bell bell;
    gn_error error;
    bell_make(&bell);
    EXPECT_CODE(gn_poller_add_doorbell(bell.ends.poller, bell.adopted, UINT64_MAX, &error), error, GN_CODE_INVALID);
    listen_to(&bell, bell.adopted, TOKEN_B);
    EXPECT_CODE(gn_poller_add_doorbell(bell.ends.poller, bell.adopted, TOKEN_B, &error), error, GN_CODE_EXISTS);
    bell_finish(&bell);
}

static void several(void) {
    struct bell bell;
    gn_error error;
    gn_doorbell *back;
    bell_make(&bell);
    // As a stream has them: one for each direction, both made by one side.
    EXPECT(gn_doorbell_create(bell.ends.a, &back, &error) == GN_DONE);
    gn_doorbell *back_adopted = passed(&bell.ends, back);
    ends_look(&bell.ends, 0);
    memset(bell.ends.seen, 0, sizeof bell.ends.seen);
    listen_to(&bell, bell.adopted, TOKEN_B);
    listen_to(&bell, back, TOKEN_A);
    for (int turn = 0; turn < 100; turn++) {
        gn_doorbell_ring(bell.made);
        EXPECT(is_silent(&bell.ends, TOKEN_A));
        hear(&bell.ends, TOKEN_B);
        gn_doorbell_ring(back_adopted);
        EXPECT(is_silent(&bell.ends, TOKEN_B));
        hear(&bell.ends, TOKEN_A);
    }
    gn_doorbell_close(back);
    gn_doorbell_close(back_adopted);
    bell_finish(&bell);
}

// MARK: From elsewhere

enum { TURNS = 2000 };

struct ringer {
    gn_doorbell *doorbell;
    gn_poller *back;
    atomic_uint turn;
};

static void ring_each_turn(void *argument) {
    struct ringer *ringer = argument;
    gn_event event;
    size_t count;
    gn_error error;
    for (unsigned turn = 1; turn <= TURNS; turn++) {
        while (atomic_load(&ringer->turn) < turn) (void)gn_poller_wait(ringer->back, &event, 1, GN_WAIT_FOR_EVER, &count, &error);
        gn_doorbell_ring(ringer->doorbell);
    }
}

static void another_thread(void) {
    struct bell bell;
    struct ringer ringer = {0};
    gn_thread *thread;
    gn_error error;
    bell_make(&bell);
    listen_to(&bell, bell.adopted, TOKEN_B);
    ringer.doorbell = bell.made;
    EXPECT(poller_open(&ringer.back, &error) == GN_DONE);
    EXPECT(gn_thread_start("ringer", 0, ring_each_turn, &ringer, &thread, &error) == GN_DONE);
    // Each turn needs its ring: one that got lost would stop the game.
    for (unsigned turn = 1; turn <= TURNS; turn++) {
        atomic_store(&ringer.turn, turn);
        gn_poller_wake(ringer.back);
        hear(&bell.ends, TOKEN_B);
    }
    gn_thread_join(thread);
    gn_poller_close(ringer.back);
    bell_finish(&bell);
}

int answer_in_memory(const char *path) {
    struct ends ends = {0};
    gn_segment *segment;
    gn_doorbell *doorbell;
    gn_error error;
    char byte;
    if (poller_open(&ends.poller, &error) != GN_DONE || gn_channel_connect(path, &ends.a, &error) != GN_DONE) return 2;
    gn_channel_accept_handles(ends.a);
    if (gn_poller_add_channel(ends.poller, ends.a, TOKEN_A, &error) != GN_DONE) return 3;
    gn_handle handles[2] = {GN_NO_HANDLE, GN_NO_HANDLE};
    support_take(&ends, TOKEN_A, handles, 1 + gn_doorbell_handles());
    if (gn_segment_adopt(handles[0], 65536, &segment, &error) != GN_DONE) return 4;
    if (gn_doorbell_adopt(handles[1], ends.a, &doorbell, &error) != GN_DONE) return 5;
    char *bytes = gn_segment_bytes(segment);
    if (strcmp(bytes, "question") != 0) return 6;
    memcpy(bytes + 65536 - 7, "answer", 7);
    gn_doorbell_ring(doorbell);
    // The one byte says that the ring was heard.
    ends_read_exactly(&ends, TOKEN_A, &byte, 1);
    gn_doorbell_close(doorbell);
    gn_segment_close(segment);
    ends_finish(&ends);
    return 0;
}

static void another_process(void) {
    struct ends ends;
    gn_doorbell *doorbell;
    gn_error error;
    ends_listen(&ends, 16);
    gn_process *process = child_start((const char *const[]){"answer-in-memory", ends.path, NULL}, NULL, 0, GN_NO_HANDLE);
    ends.b = ends_accept(&ends);
    gn_segment *segment = segment_create(65536);
    memcpy(gn_segment_bytes(segment), "question", 9);
    EXPECT(gn_doorbell_create(ends.b, &doorbell, &error) == GN_DONE);
    EXPECT(gn_poller_add_channel(ends.poller, ends.b, TOKEN_B, &error) == GN_DONE);
    EXPECT(gn_poller_add_doorbell(ends.poller, doorbell, TOKEN_B, &error) == GN_DONE);
    const gn_handle handles[] = {gn_segment_handle(segment), gn_doorbell_handle(doorbell)};
    support_send(&ends, TOKEN_B, gn_process_id(process), handles, 1 + gn_doorbell_handles());
    hear(&ends, TOKEN_B);
    EXPECT(strcmp((const char *)gn_segment_bytes(segment) + 65536 - 7, "answer") == 0);
    ends_write(&ends, TOKEN_B, "h", 1);
    EXPECT(child_finish(process) == 0);
    gn_doorbell_close(doorbell);
    gn_segment_close(segment);
    ends_finish(&ends);
}

void suite_doorbell(void) {
    check("each ring that somebody waits for is heard, and nothing else is", each_ring);
    check("a doorbell rings towards its maker too", towards_its_maker);
    check("a ring before anybody listens is heard", before_anybody_listens);
    check("many rings become at least one event, and none of them blocks", many_at_once);
    check("300,000 rings that nobody has heard do not block either", very_many_at_once);
    check("ringing on a full channel does not block", on_a_full_channel);
    check("a doorbell that was removed is silent until it is added again", removed);
    check("a doorbell that was closed is silent, and ringing it from the other side is no error", closed);
    check("a doorbell cannot be added twice", added_twice);
    check("two doorbells between the same ends are told apart", several);
    check("no ring from another thread is lost", another_thread);
    check("another process answers in shared memory and rings", another_process);
}
