// The lock: a file beside the socket that the live service holds.
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

static void left_by_a_killed_process(void) {
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
    needs_root();
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

struct inspection {
    const struct place *place;
    atomic_bool done;
};

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
    EXPECT(gn_thread_start("late", 0, try_to_open, &late, &thread, &error) == GN_DONE);
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

static void keep_inspecting(void *argument) {
    struct inspection *inspection = argument;
    while (!atomic_load(&inspection->done)) {
        gn_endpoint_facts facts;
        gn_endpoint_inspect(inspection->place->socket, &facts);
    }
}

static void inspected_meanwhile(void) {
    struct place place;
    gn_thread *thread;
    gn_error error;
    place_make(&place);
    struct inspection inspection = {.place = &place};
    EXPECT(gn_thread_start("inspector", 0, keep_inspecting, &inspection, &thread, &error) == GN_DONE);
    bool all = true;
    for (int turn = 0; turn < 500 && all; turn++) {
        gn_listener *listener;
        gn_endpoint_facts facts;
        all = gn_listener_open(&place.options, &listener, &facts, &error) == GN_DONE;
        if (all) gn_listener_close(listener);
    }
    atomic_store(&inspection.done, true);
    gn_thread_join(thread);
    EXPECT(all);
    place_remove(&place);
}

void suite_lock(void) {
    check("a killed process leaves socket and lock, which nobody holds, and a successor removes both", left_by_a_killed_process);
    check("a link, a second name, a pipe or a directory for a lock is unsafe and left alone", unsafe_locks);
    check("a stranger's lock is unsafe, is named, and stays", of_a_stranger);
    check("a lock file that was left behind is used again and closed to others", old_file_is_used);
    check("the lock is a flock, both ways", taken_with_flock);
#if defined(__linux__)
    check("a lock on a file that has lost its name meanwhile does not count", replaced_before_locked);
#endif
    check("an inspector never gets in the way of a service that starts", inspected_meanwhile);
}
