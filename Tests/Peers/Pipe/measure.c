// Figures: round trips and rates of both ways between the same two processes. They are told and never judged: a figure depends on the machine.
#include "check.h"
#include "roles.h"
#include "scenarios.h"
#include "talk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(_WIN32)
#include <windows.h>
#endif

enum { TRIPS = 2000, WINDOW = 16 };

static const uint64_t AT_MOST = 2000000000;

static uint64_t trips[TRIPS];

static int by_size(const void *first, const void *second) {
    uint64_t a = *(const uint64_t *)first, b = *(const uint64_t *)second;
    return (a > b) - (a < b);
}

static void tell(const char *what, size_t count, double rate) {
    qsort(trips, count, sizeof trips[0], by_size);
    (void)printf("# %s: round trip %.1f µs median, %.1f µs p99 of %zu; %.0f messages a second one after the other without waiting\n", what, (double)trips[count / 2] / 1000,
                 (double)trips[count * 99 / 100] / 1000, count, rate);
}

static void of_the_link(void) {
    static const char ping[] = "{\"type\":\"ping\"}";
    static char text[TEXT_ROOM + 1];
    char path[512];
    struct link link;
    size_t count, trip = 0;
    role_path(path);
    gn_process *process = role_start("serve", "tagged", path, "1");
    EXPECT(link_connect(&link, path) == LINK_DONE);
    uint64_t over = gn_clock_awake() + AT_MOST;
    while (trip < TRIPS && gn_clock_awake() < over) {
        uint64_t began = gn_clock_awake();
        EXPECT(frame_write(&link, ping, sizeof ping - 1) && frame_read(&link, &tagged_json, text, &count) == FRAME_DONE);
        trips[trip++] = gn_clock_awake() - began;
    }
    uint64_t began = gn_clock_awake(), sent = 0, taken = 0;
    over = began + AT_MOST;
    while (gn_clock_awake() < over && taken < 10 * TRIPS) {
        for (; sent - taken < WINDOW; sent++) EXPECT(frame_write(&link, ping, sizeof ping - 1));
        EXPECT(frame_read(&link, &tagged_json, text, &count) == FRAME_DONE);
        taken++;
    }
    tell("the pipe or socket", trip, (double)taken * 1e9 / (double)(gn_clock_awake() - began));
    link_close(&link);
    EXPECT(role_finish(process) == 0);
    role_clean(path);
}

static void of_memory(void) {
    char path[512];
    uint8_t message[15] = {'e'};
    static struct talk talk;
    struct link link;
    struct stream stream;
    size_t trip = 0;
    uint64_t count;
    role_path(path);
    gn_process *process = role_start("serve", "memory", path, "1");
    EXPECT(link_connect(&link, path) == LINK_DONE && stream_take(&stream, &link) == STREAM_DONE);
    uint64_t over = gn_clock_awake() + AT_MOST;
    while (trip < TRIPS && gn_clock_awake() < over) {
        uint64_t began = gn_clock_awake();
        EXPECT(stream_write(&stream, message, sizeof message) == STREAM_DONE && stream_read(&stream, message, sizeof message, &count) == STREAM_DONE);
        trips[trip++] = gn_clock_awake() - began;
    }
    talk.stream = &stream;
    talk.to_send = UINT64_MAX;
    talk.asked_here = true;
    uint64_t began = gn_clock_awake();
    over = began + AT_MOST;
    while (gn_clock_awake() < over && talk.sent < 100 * TRIPS) EXPECT(talk_turn(&talk) == STREAM_DONE);
    talk.to_send = talk.sent;
    EXPECT(talk_ask(&talk) == STREAM_DONE && talk.answer == talk.sent);
    tell("shared memory", trip, (double)talk.sent * 1e9 / (double)(gn_clock_awake() - began));
    stream_close(&stream);
    EXPECT(role_finish(process) == 0);
    role_clean(path);
}

void measure(void) {
    of_the_link();
    of_memory();
#if defined(_WIN32)
    HMODULE library = GetModuleHandleW(L"ntdll.dll");
    if (library != NULL && GetProcAddress(library, "wine_get_version") != NULL) (void)printf("# These figures are Wine's and say nothing of Windows.\n");
#endif
}
