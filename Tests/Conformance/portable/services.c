// One live service for each endpoint, whatever processes and threads do.
#include "check.h"
#include "support.h"

#include <stdatomic.h>

static const uint64_t ten_seconds = 10000000000u;

static void expect_busy(const gn_listen_options *options, uint32_t holder) {
    gn_listener *listener;
    gn_endpoint_facts facts;
    gn_error error;
    EXPECT_CODE(gn_listener_open(options, &listener, &facts, &error), error, GN_CODE_BUSY);
    EXPECT(facts.lock_held && facts.lock_holder == holder);
}

static void expect_free(const gn_listen_options *options) {
    gn_listener *listener;
    gn_endpoint_facts facts;
    gn_error error;
    EXPECT(gn_listener_open(options, &listener, &facts, &error) == GN_DONE);
    gn_listener_close(listener);
}

static void held_by_another(void) {
    char path[512];
    gn_listen_options options;
    struct partner partner;
    gn_endpoint_facts facts;
    support_endpoint(path, &options);
    partner_start(&partner, (const char *const[]){"hold", path, NULL});
    partner_await(&partner);
    expect_busy(&options, gn_process_id(partner.process));
    gn_endpoint_inspect(path, &facts);
    EXPECT(facts.lock_held && facts.lock_holder == gn_process_id(partner.process) && facts.answers);
    EXPECT(partner_finish(&partner) == 0);
    expect_free(&options);
    support_endpoint_remove(path);
}

static void taken_over_after_kill(void) {
    char path[512];
    gn_listen_options options;
    support_endpoint(path, &options);
    for (int turn = 0; turn < 5; turn++) {
        struct partner partner;
        gn_endpoint_facts facts;
        partner_start(&partner, (const char *const[]){"hold", path, NULL});
        partner_await(&partner);
        gn_process_end(partner.process, true);
        (void)partner_finish(&partner);
        gn_endpoint_inspect(path, &facts);
        EXPECT(!facts.lock_held && !facts.answers);
        expect_free(&options);
    }
    support_endpoint_remove(path);
}

// MARK: Many at once

struct race {
    const gn_listen_options *options;
    atomic_uint holders, most, opened, wrong;
};

/// Somebody has connected; it may take the system a moment to say so.
static bool accepts(gn_poller *poller, gn_listener *listener) {
    for (int turn = 0; turn < 1000; turn++) {
        gn_channel *channel;
        gn_event event;
        gn_error error;
        size_t count;
        if (gn_listener_accept(listener, &channel, &error) == GN_DONE) {
            gn_channel_abort(channel);
            return true;
        }
        (void)gn_poller_wait(poller, &event, 1, 1000000, &count, &error);
    }
    return false;
}

static void open_and_close(void *argument) {
    struct race *race = argument;
    gn_poller *poller;
    gn_error unheard;
    if (poller_open(&poller, &unheard) != GN_DONE) return;
    for (int turn = 0; turn < 200; turn++) {
        gn_listener *listener;
        gn_endpoint_facts facts;
        gn_error error;
        if (gn_listener_open(race->options, &listener, &facts, &error) != GN_DONE) {
            if (error.code != GN_CODE_BUSY) atomic_store(&race->wrong, (unsigned)error.code);
            continue;
        }
        unsigned now = atomic_fetch_add(&race->holders, 1) + 1;
        if (now > atomic_load(&race->most)) atomic_store(&race->most, now);
        atomic_fetch_add(&race->opened, 1);
        // The name must lead to us, whoever else tries to have it. Those who look may be all that there is room for.
        gn_channel *client;
        if (gn_channel_connect(race->options->path, &client, &error) == GN_DONE) {
            if (!accepts(poller, listener)) atomic_store(&race->wrong, 200);
            gn_channel_abort(client);
        } else if (error.code != GN_CODE_BUSY) {
            atomic_store(&race->wrong, 100 + (unsigned)error.code);
        }
        atomic_fetch_sub(&race->holders, 1);
        gn_listener_close(listener);
    }
    gn_poller_close(poller);
}

static void many_at_once(void) {
    enum { THREADS = 4 };
    char path[512];
    gn_listen_options options;
    gn_thread *threads[THREADS];
    gn_error error;
    support_endpoint(path, &options);
    struct race race = {.options = &options};
    for (size_t i = 0; i < THREADS; i++) EXPECT(gn_thread_start("race", 0, open_and_close, &race, &threads[i], &error) == GN_DONE);
    for (size_t i = 0; i < THREADS; i++) gn_thread_join(threads[i]);
    EXPECT(atomic_load(&race.wrong) == 0);
    EXPECT(atomic_load(&race.most) == 1 && atomic_load(&race.opened) > 0);
    support_endpoint_remove(path);
}

struct caller {
    const char *path;
    gn_poller *poller;
    atomic_uint connected;
    atomic_int wrong;  ///< a code that is neither success nor BUSY
};

enum { CALLS = 300 };

static void call_again_and_again(void *argument) {
    struct caller *caller = argument;
    while (atomic_load(&caller->connected) < CALLS && atomic_load(&caller->wrong) == 0) {
        gn_channel *channel;
        gn_error error;
        if (gn_channel_connect(caller->path, &channel, &error) == GN_DONE) {
            atomic_fetch_add(&caller->connected, 1);
            gn_channel_abort(channel);
        } else if (error.code != GN_CODE_BUSY) {
            atomic_store(&caller->wrong, (int)error.code);
        }
    }
    gn_poller_wake(caller->poller);
}

static void no_gap(void) {
    struct ends ends;
    struct caller caller = {0};
    gn_thread *thread;
    gn_channel *channel;
    gn_error error;
    ends_listen(&ends, 2);
    caller.path = ends.path;
    caller.poller = ends.poller;
    EXPECT(gn_thread_start("caller", 0, call_again_and_again, &caller, &thread, &error) == GN_DONE);
    while (atomic_load(&caller.connected) < CALLS && atomic_load(&caller.wrong) == 0) {
        gn_outcome outcome = gn_listener_accept(ends.listener, &channel, &error);
        if (outcome == GN_DONE) gn_channel_abort(channel);
        else ends_look(&ends, ten_seconds);
    }
    gn_thread_join(thread);
    EXPECT(atomic_load(&caller.wrong) == 0);
    ends_finish(&ends);
}

// MARK: Threads

struct opener {
    const gn_listen_options *options;
    gn_listener *listener;
};

static void open_and_end(void *argument) {
    struct opener *opener = argument;
    gn_endpoint_facts facts;
    gn_error error;
    if (gn_listener_open(opener->options, &opener->listener, &facts, &error) != GN_DONE) opener->listener = NULL;
}

static void opened_by_a_thread_that_ended(void) {
    struct ends ends = {0};
    gn_listen_options options;
    gn_thread *thread;
    gn_error error;
    support_endpoint(ends.path, &options);
    struct opener opener = {.options = &options};
    EXPECT(gn_thread_start("opener", 0, open_and_end, &opener, &thread, &error) == GN_DONE);
    gn_thread_join(thread);
    EXPECT(opener.listener != NULL && poller_open(&ends.poller, &error) == GN_DONE);
    ends.listener = opener.listener;
    EXPECT(gn_poller_add_listener(ends.poller, ends.listener, TOKEN_LISTENER, &error) == GN_DONE);
    EXPECT(gn_channel_connect(ends.path, &ends.a, &error) == GN_DONE);
    ends.b = ends_accept(&ends);
    ends_finish(&ends);
}

void suite_services(void) {
    check("an endpoint that another process holds is busy and names it; it is free when that process closes", held_by_another);
    check("an endpoint is taken over at once from a process that was killed", taken_over_after_kill);
    check("of many that open at once one has the endpoint, and its name leads to it", many_at_once);
    check("a client that comes at any moment finds the name", no_gap);
    check("a listener outlives the thread that has opened it", opened_by_a_thread_that_ended);
}
