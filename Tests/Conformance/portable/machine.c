// Threads, locks, clocks, random bytes, limits, the environment and the fault scripts themselves.
#include "check.h"
#include "support.h"

#include <stdatomic.h>

// MARK: Threads

enum { THREADS = 8, TURNS = 20000 };

struct shared {
    gn_mutex *mutex;
    uint64_t counter;  ///< guarded by the mutex
    uint64_t numbers[THREADS];
    atomic_uint next, arrived;
};

static void count_up(void *argument) {
    struct shared *shared = argument;
    unsigned index = atomic_fetch_add(&shared->next, 1);
    shared->numbers[index] = gn_thread_current();
    atomic_fetch_add(&shared->arrived, 1);
    // All are alive while they compare, so all differ.
    while (atomic_load(&shared->arrived) < THREADS) {
        gn_mutex_lock(shared->mutex);
        gn_mutex_unlock(shared->mutex);
    }
    for (unsigned turn = 0; turn < TURNS; turn++) {
        gn_mutex_lock(shared->mutex);
        shared->counter++;
        gn_mutex_unlock(shared->mutex);
    }
    if (gn_thread_current() != shared->numbers[index]) shared->numbers[index] = 0;
}

enum { STACK = 1 << 20 };

static void use_stack(void *argument) {
    // Nearly all of it, every page.
    volatile char bytes[STACK - STACK / 8];
    for (size_t i = 0; i < sizeof bytes; i += 512) bytes[i] = 1;
    for (size_t i = 0; i < sizeof bytes; i += 512) *(size_t *)argument += (size_t)bytes[i];
}

static void use_no_stack(void *argument) { *(size_t *)argument = 0; }

static void stacks(void) {
    gn_error error;
    gn_thread *thread;
    size_t touched = 0;
    EXPECT(gn_thread_start("stack", STACK, use_stack, &touched, &thread, &error) == GN_DONE);
    gn_thread_join(thread);
    EXPECT(touched == (STACK - STACK / 8) / 512);
    // Less than any system takes becomes what it takes.
    EXPECT(gn_thread_start("small", 1, use_no_stack, &touched, &thread, &error) == GN_DONE);
    gn_thread_join(thread);
    EXPECT(touched == 0);
}

static void threads(void) {
    struct shared shared = {.mutex = gn_mutex_create()};
    gn_thread *threads[THREADS];
    gn_error error;
    EXPECT(shared.mutex != NULL);
    for (size_t i = 0; i < THREADS; i++) EXPECT(gn_thread_start("counter", 0, count_up, &shared, &threads[i], &error) == GN_DONE);
    for (size_t i = 0; i < THREADS; i++) gn_thread_join(threads[i]);
    EXPECT(shared.counter == THREADS * TURNS);
    for (size_t i = 0; i < THREADS; i++) {
        EXPECT(shared.numbers[i] != 0 && shared.numbers[i] != gn_thread_current());
        for (size_t j = 0; j < i; j++) EXPECT(shared.numbers[i] != shared.numbers[j]);
    }
    gn_mutex_destroy(shared.mutex);
}

// MARK: Clocks and random bytes

static void clocks(void) {
    uint64_t awake = gn_clock_awake(), continuous = gn_clock_continuous(), processor = gn_clock_processor();
    EXPECT(awake > 0 && continuous > 0);
    for (int turn = 0; turn < 100000; turn++) {
        uint64_t awake_now = gn_clock_awake(), continuous_now = gn_clock_continuous();
        EXPECT(awake_now >= awake && continuous_now >= continuous);
        awake = awake_now, continuous = continuous_now;
    }
    // That work took processor time, or the clock stands still.
    uint64_t begun = gn_clock_awake();
    while (gn_clock_processor() == processor) EXPECT(gn_clock_awake() - begun < 5000000000u);
}

static void random_bytes(void) {
    uint8_t first[1000] = {0}, second[1000] = {0};
    unsigned counts[256] = {0};
    gn_error error;
    EXPECT(gn_random(first, sizeof first, &error) == GN_DONE);
    EXPECT(gn_random(second, sizeof second, &error) == GN_DONE);
    EXPECT(memcmp(first, second, sizeof first) != 0);
    EXPECT(memcmp(first + 990, second + 990, 10) != 0);
    for (size_t i = 0; i < sizeof first; i++) counts[first[i]]++;
    for (size_t i = 0; i < 256; i++) EXPECT(counts[i] < 100);
    EXPECT(gn_random(first, 0, &error) == GN_DONE);
}

// MARK: Scripted time and chance

static void scripted_clocks(void) {
    uint64_t awake = gn_clock_awake(), continuous = gn_clock_continuous();
    gn_clock_script(42);
    EXPECT(gn_clock_awake() == 42 && gn_clock_continuous() == 42);
    gn_clock_script(7000000000u);
    EXPECT(gn_clock_awake() == 7000000000u && gn_clock_continuous() == 7000000000u);
    gn_clock_script(0);
    EXPECT(gn_clock_awake() >= awake && gn_clock_continuous() >= continuous);
}

static void scripted_chance(void) {
    uint8_t first[20], second[20], third[20];
    gn_error error;
    gn_random_script(1);
    EXPECT(gn_random(first, sizeof first, &error) == GN_DONE && gn_random(second, sizeof second, &error) == GN_DONE);
    EXPECT(memcmp(first, second, sizeof first) != 0);
    gn_random_script(1);
    EXPECT(gn_random(third, sizeof third, &error) == GN_DONE && memcmp(first, third, sizeof first) == 0);
    gn_random_script(2);
    EXPECT(gn_random(third, sizeof third, &error) == GN_DONE && memcmp(first, third, sizeof first) != 0);
    gn_random_script(0);
    EXPECT(gn_random(second, sizeof second, &error) == GN_DONE && gn_random(third, sizeof third, &error) == GN_DONE);
    EXPECT(memcmp(second, third, sizeof second) != 0);
}

// MARK: Limits and the environment

static void limits(void) {
    uint64_t limit, before, with_pair;
    gn_channel *first, *second;
    gn_error error;
    EXPECT(gn_processors_allowed() >= 1);
    gn_descriptor_limit(&limit, &before);
    EXPECT(limit > 0);
    EXPECT(gn_channel_pair(&first, &second, &error) == GN_DONE);
    gn_descriptor_limit(&limit, &with_pair);
    EXPECT(before == 0 || with_pair >= before + 2);
    gn_channel_abort(first);
    gn_channel_abort(second);
    EXPECT_CODE(gn_descriptor_limit_set(0, &error), error, GN_CODE_INVALID);
}

static void variables(void) {
    char value[4096];
    memset(value, '!', sizeof value);
    EXPECT(gn_environment("PATH", value, sizeof value) && strlen(value) > 0);
    size_t length = strlen(value);
    EXPECT(gn_environment("PATH", value, length + 1));
    EXPECT(!gn_environment("PATH", value, length));
    EXPECT(!gn_environment("GINNEL_NO_SUCH_VARIABLE", value, sizeof value));
}

static void descriptions(void) {
    char text[256];
    gn_error_describe(2, text, sizeof text);
    EXPECT(strlen(text) > 5);
    gn_error_describe(2, text, 8);
    EXPECT(strlen(text) < 8);
    text[0] = '!';
    gn_error_describe(2, text, 0);
    EXPECT(text[0] == '!');
    gn_error_describe(99999, text, sizeof text);
    EXPECT(strlen(text) < sizeof text);
}

// MARK: Fault scripts

static void scripts_are_limited(void) {
    for (int i = 0; i < 16; i++) EXPECT(gn_fault_add("nothing", 0, 1, 1));
    EXPECT(!gn_fault_add("nothing", 0, 1, 1));
    gn_fault_clear();
    EXPECT(gn_fault_add("nothing", 0, 1, 1));
}

void suite_machine(void) {
    check("threads have numbers of their own and a lock keeps them apart", threads);
    check("a thread has as much stack as was asked for", stacks);
    check("clocks never go back, and processor time passes with work", clocks);
    check("random bytes differ from call to call and from each other", random_bytes);
    check("scripted clocks show what they are told, and the system's time after that", scripted_clocks);
    check("scripted chance follows from its seed, and is the system's after that", scripted_chance);
    check("the limit of descriptors is known, and open ones are counted", limits);
    check("a variable is copied when it exists and fits", variables);
    check("a native code has a sentence, cut to its room", descriptions);
    check("sixteen fault scripts are active at most", scripts_are_limited);
}
