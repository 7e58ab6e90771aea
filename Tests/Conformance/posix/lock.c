// The lock: one live service, held by a real second process, taken over when it dies.
#include "posix_support.h"

#include <stdatomic.h>
#include <sys/file.h>

static uint32_t holder_in(const char *path) {
    char text[32] = {0};
    FILE *file = fopen(path, "r");
    if (file == NULL) return 0;
    (void)!fread(text, 1, sizeof text - 1, file);
    (void)fclose(file);
    return (uint32_t)strtoul(text, NULL, 10);
}

static void held_by_another(void) {
    struct place place;
    struct partner partner;
    gn_endpoint_facts facts;
    place_make(&place);
    partner_start(&partner, (const char *const[]){"hold", place.socket, NULL});
    partner_await(&partner);
    expect_refusal(&place, GN_CODE_BUSY, &facts);
    EXPECT(facts.lock_held && facts.lock_holder == gn_process_id(partner.process) && facts.lock_exists);
    gn_endpoint_inspect(place.socket, &facts);
    EXPECT(facts.lock_held && facts.lock_holder == gn_process_id(partner.process) && facts.answers);
    EXPECT(partner_finish(&partner) == 0);
    EXPECT(!exists(place.socket) && !exists(place.lock));
    gn_listener_close(open_listener(&place));
    place_remove(&place);
}

static void taken_over_after_kill(void) {
    struct place place;
    gn_endpoint_facts facts;
    place_make(&place);
    for (int turn = 0; turn < 10; turn++) {
        struct partner partner;
        partner_start(&partner, (const char *const[]){"hold", place.socket, NULL});
        partner_await(&partner);
        uint32_t holder = gn_process_id(partner.process);
        gn_process_end(partner.process, true);
        EXPECT(partner_finish(&partner) == 256 + 9);
        EXPECT(exists(place.socket) && holder_in(place.lock) == holder);
        gn_endpoint_inspect(place.socket, &facts);
        EXPECT(facts.lock_exists && !facts.lock_held && !facts.answers);
        gn_listener *listener = open_listener(&place);
        EXPECT(holder_in(place.lock) == (uint32_t)getpid());
        if (turn % 2 == 0) {
            gn_listener_close(listener);
            continue;
        }
        gn_listener_close(listener);
        EXPECT(!exists(place.lock) && !exists(place.socket));
    }
    place_remove(&place);
}

static void unsafe_locks(void) {
    for (int kind = 0; kind < 4; kind++) {
        struct place place;
        gn_endpoint_facts facts;
        char target[192];
        place_make(&place);
        place_make_directory(&place, 0700);
        (void)snprintf(target, sizeof target, "%s/target", place.root);
        write_file(target, "precious");
        if (kind == 0) EXPECT(symlink(target, place.lock) == 0);
        if (kind == 1) EXPECT(link(target, place.lock) == 0);
        if (kind == 2) EXPECT(mkfifo(place.lock, 0600) == 0);
        if (kind == 3) EXPECT(mkdir(place.lock, 0700) == 0);
        expect_refusal(&place, GN_CODE_UNSAFE, &facts);
        EXPECT(strcmp(facts.offender, place.lock) == 0);
        EXPECT(exists(place.lock) && file_holds(target, "precious"));
        EXPECT(!exists(place.socket));
        place_remove(&place);
    }
}

static void of_a_stranger(void) {
    if (needs_root("a stranger's lock")) return;
    struct place place;
    gn_endpoint_facts facts;
    place_make(&place);
    place_make_directory(&place, 01777);
    place.options.shared_directory = true;
    write_file(place.lock, "1\n");
    EXPECT(chown(place.lock, STRANGER, STRANGER) == 0);
    expect_refusal(&place, GN_CODE_UNSAFE, &facts);
    EXPECT(strcmp(facts.offender, place.lock) == 0 && facts.lock_owner == STRANGER && file_holds(place.lock, "1\n"));
    place_remove(&place);
}

static void old_file_is_used(void) {
    struct place place;
    place_make(&place);
    place_make_directory(&place, 0700);
    write_file(place.lock, "123456789012345678901234567890");
    EXPECT(chmod(place.lock, 0644) == 0);
    gn_listener *listener = open_listener(&place);
    EXPECT(mode_of(place.lock) == 0600 && holder_in(place.lock) == (uint32_t)getpid());
    gn_listener_close(listener);
    place_remove(&place);
}

static void taken_with_flock(void) {
    struct place place;
    gn_endpoint_facts facts;
    place_make(&place);
    place_make_directory(&place, 0700);
    // A program in another language that keeps to the same convention.
    int foreign = open(place.lock, O_RDWR | O_CREAT, 0600);
    EXPECT(foreign >= 0 && flock(foreign, LOCK_EX | LOCK_NB) == 0);
    expect_refusal(&place, GN_CODE_BUSY, &facts);
    EXPECT(facts.lock_held && facts.lock_holder == 0);
    (void)close(foreign);
    gn_listener *listener = open_listener(&place);
    foreign = open(place.lock, O_RDWR);
    EXPECT(foreign >= 0 && flock(foreign, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK);
    (void)close(foreign);
    gn_listener_close(listener);
    place_remove(&place);
}

// MARK: Races

struct race {
    const struct place *place;
    atomic_uint holders, most, opened, wrong;
    atomic_bool done;
};

static void open_and_close(void *argument) {
    struct race *race = argument;
    for (int turn = 0; turn < 500; turn++) {
        gn_listener *listener;
        gn_endpoint_facts facts;
        gn_error error;
        if (gn_listener_open(&race->place->options, &listener, &facts, &error) != GN_DONE) {
            if (error.code != GN_CODE_BUSY) atomic_store(&race->wrong, (unsigned)error.code);
            continue;
        }
        unsigned now = atomic_fetch_add(&race->holders, 1) + 1;
        if (now > atomic_load(&race->most)) atomic_store(&race->most, now);
        atomic_fetch_add(&race->opened, 1);
        // The name must lead to us, whoever else tries to have it.
        gn_channel *client, *accepted;
        if (gn_channel_connect(race->place->socket, &client, &error) != GN_DONE) {
            atomic_store(&race->wrong, 100 + (unsigned)error.code);
        } else {
            if (gn_listener_accept(listener, &accepted, &error) != GN_DONE) atomic_store(&race->wrong, 200);
            else gn_channel_abort(accepted);
            gn_channel_abort(client);
        }
        atomic_fetch_sub(&race->holders, 1);
        gn_listener_close(listener);
    }
}

#if defined(__linux__)
/// How many of our descriptors lead to a file of this name, removed or not.
static int open_under(const char *path) {
    int count = 0;
    for (int descriptor = 0; descriptor < 256; descriptor++) {
        char link[64], target[512];
        (void)snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
        ssize_t length = readlink(link, target, sizeof target - 1);
        if (length > 0) count += strncmp(target, path, strlen(path)) == 0;
    }
    return count;
}

typedef struct attempt {
    const struct place *place;
    gn_outcome outcome;
    gn_error error;
} attempt;

static void try_to_open(void *argument) {
    attempt *self = argument;
    gn_listener *listener;
    gn_endpoint_facts facts;
    self->outcome = gn_listener_open(&self->place->options, &listener, &facts, &self->error);
    if (self->outcome == GN_DONE) gn_listener_close(listener);
}

static void replaced_before_locked(void) {
    struct place place;
    gn_thread *thread;
    gn_error error;
    place_make(&place);
    place_make_directory(&place, 0700);
    write_file(place.lock, "");
    attempt late = {.place = &place};
    // Keeps the other thread between opening the file and locking it.
    EXPECT(gn_fault_add("flock", 0, UINT32_MAX, EINTR));
    EXPECT(gn_thread_start("late", try_to_open, &late, &thread, &error) == GN_DONE);
    while (open_under(place.lock) == 0) {}
    EXPECT(unlink(place.lock) == 0);
    int successor = open(place.lock, O_RDWR | O_CREAT | O_EXCL, 0600);
    EXPECT(successor >= 0 && flock(successor, LOCK_EX | LOCK_NB) == 0);
    gn_fault_clear();
    gn_thread_join(thread);
    EXPECT(late.outcome == GN_FAILED && late.error.code == GN_CODE_BUSY);
    EXPECT(exists(place.lock) && close(successor) == 0);
    place_remove(&place);
}
#endif

static void many_at_once(void) {
    enum { THREADS = 4 };
    struct place place;
    gn_thread *threads[THREADS];
    gn_error error;
    place_make(&place);
    struct race race = {.place = &place};
    for (size_t i = 0; i < THREADS; i++) EXPECT(gn_thread_start("race", open_and_close, &race, &threads[i], &error) == GN_DONE);
    for (size_t i = 0; i < THREADS; i++) gn_thread_join(threads[i]);
    EXPECT(atomic_load(&race.wrong) == 0);
    EXPECT(atomic_load(&race.most) == 1 && atomic_load(&race.opened) > 0);
    EXPECT(!exists(place.socket) && !exists(place.lock));
    place_remove(&place);
}

static void keep_inspecting(void *argument) {
    struct race *race = argument;
    while (!atomic_load(&race->done)) {
        gn_endpoint_facts facts;
        gn_endpoint_inspect(race->place->socket, &facts);
    }
}

static void inspected_meanwhile(void) {
    struct place place;
    gn_thread *thread;
    gn_error error;
    place_make(&place);
    struct race race = {.place = &place};
    EXPECT(gn_thread_start("inspector", keep_inspecting, &race, &thread, &error) == GN_DONE);
    bool all = true;
    for (int turn = 0; turn < 500 && all; turn++) {
        gn_listener *listener;
        gn_endpoint_facts facts;
        all = gn_listener_open(&place.options, &listener, &facts, &error) == GN_DONE;
        if (all) gn_listener_close(listener);
    }
    atomic_store(&race.done, true);
    gn_thread_join(thread);
    EXPECT(all);
    place_remove(&place);
}

void suite_lock(void) {
    check("a lock that another process holds is busy and names it; it is free when that process closes", held_by_another);
    check("an endpoint is taken over at once from a process that was killed", taken_over_after_kill);
    check("a link, a second name, a pipe or a directory for a lock is unsafe and left alone", unsafe_locks);
    check("a stranger's lock is unsafe, is named, and stays", of_a_stranger);
    check("a lock file that was left behind is used again and closed to others", old_file_is_used);
    check("the lock is a flock, both ways", taken_with_flock);
#if defined(__linux__)
    check("a lock on a file that has lost its name meanwhile does not count", replaced_before_locked);
#endif
    check("of many that open at once one has the endpoint, and its name leads to it", many_at_once);
    check("an inspector never gets in the way of a service that starts", inspected_meanwhile);
}
