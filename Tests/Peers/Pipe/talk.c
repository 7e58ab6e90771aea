// The talk over a stream: see talk.h. It never waits for one thing alone, so that floods in both directions at once cannot stand in each other's way.
#include "talk.h"

#include "check.h"

#include <string.h>

static uint64_t number_in(const uint8_t *bytes) {
    uint64_t number = 0;
    for (size_t i = 0; i < 8; i++) number |= (uint64_t)bytes[i] << 8 * i;
    return number;
}

static void put_number(uint8_t *bytes, uint64_t number) {
    for (size_t i = 0; i < 8; i++) bytes[i] = (uint8_t)(number >> 8 * i);
}

/// Mostly short ones, and each hundredth as long as the ring takes.
static uint64_t flood_length(const struct talk *talk, uint64_t number) {
    return number % 100 == 99 ? ring_longest(&talk->stream->out) : 9 + number * 37 % 700;
}

static uint64_t make_flood(const struct talk *talk, uint64_t number, uint8_t *bytes) {
    uint64_t count = flood_length(talk, number);
    bytes[0] = 'f';
    put_number(bytes + 1, number);
    for (uint64_t i = 9; i < count; i++) bytes[i] = (uint8_t)(7 * (number + i) + 3);
    return count;
}

/// Takes one message. What is to be answered is held until there is room for it.
static void take(struct talk *talk, const uint8_t *bytes, uint64_t count) {
    static uint8_t expected[TALK_LONGEST];
    EXPECT(count > 0);
    switch (bytes[0]) {
    case 'f':
        EXPECT(count == make_flood(talk, talk->taken, expected) && memcmp(bytes, expected, count) == 0);
        talk->taken++;
        break;
    case 'e':
        talk->echoes++;
        if (talk->asked_here) break;
        memcpy(talk->held, bytes, count);
        talk->held_count = count;
        break;
    case 'b':
        EXPECT(count == 9);
        talk->to_send = number_in(bytes + 1);
        talk->sent = 0;
        break;
    case 'q':
        if (count == 9) {
            talk->answer = number_in(bytes + 1);
            talk->answered = true;
            break;
        }
        talk->held[0] = 'q';
        put_number(talk->held + 1, talk->taken);
        talk->held_count = 9;
        break;
    default: check_fail(__FILE__, __LINE__, "a message of a known kind");
    }
}

/// Sends what is due: NONE when there is no room for it.
static stream_result send(struct talk *talk) {
    static uint8_t bytes[TALK_LONGEST];
    if (talk->held_count > 0) {
        stream_result result = stream_try_write(talk->stream, talk->held, talk->held_count);
        if (result == STREAM_DONE) talk->held_count = 0;
        return result;
    }
    stream_result result = stream_try_write(talk->stream, bytes, make_flood(talk, talk->sent, bytes));
    if (result == STREAM_DONE) talk->sent++;
    return result;
}

stream_result talk_turn(struct talk *talk) {
    static uint8_t bytes[TALK_LONGEST];
    uint64_t count;
    // Nothing is taken while an answer is held: there is room for one.
    bool takes = talk->held_count == 0, sends = talk->held_count > 0 || talk->sent < talk->to_send, moved = false;
    if (takes) {
        stream_result result = stream_try_read(talk->stream, bytes, sizeof bytes, &count);
        if (result == STREAM_DONE) take(talk, bytes, count);
        else if (result != STREAM_NONE) return result;
        moved = result == STREAM_DONE;
    }
    if (sends) {
        stream_result result = send(talk);
        // What the other side has said before it left is still to be read.
        if (result != STREAM_DONE && result != STREAM_NONE && !takes) return result;
        moved |= result == STREAM_DONE;
    }
    return moved ? STREAM_DONE : stream_wait(talk->stream, takes, sends);
}

stream_result talk_on(struct talk *talk) {
    stream_result result;
    do result = talk_turn(talk);
    while (result == STREAM_DONE);
    return result;
}

stream_result talk_ask(struct talk *talk) {
    stream_result result = stream_write(talk->stream, "q", 1);
    talk->answered = false;
    while (result == STREAM_DONE && !talk->answered) result = talk_turn(talk);
    return result;
}
