// talk.h: what the two processes say to each other over a stream of shared memory. Either side may say any of it.
//
//     e…            an echo is asked for: the same message comes back
//     f NUMBER …    one of a flood, numbered from 0: it is checked, and not answered
//     b COUNT       a flood of so many is asked for
//     q             how many of a flood have come? q COUNT is the answer
//
// Numbers are u64, little-endian. Lengths and bytes of a flood follow from its numbers, so that whoever takes it knows what it has to be.
#ifndef TALK_H
#define TALK_H

#include "stream.h"

enum { TALK_LONGEST = 65536 };

struct talk {
    struct stream *stream;
    uint64_t taken;          ///< of the other side's flood, all of them in order and whole
    uint64_t sent, to_send;  ///< of ours
    uint64_t echoes;         ///< that came back
    bool answered;           ///< to our question
    uint64_t answer;
    uint8_t held[TALK_LONGEST];  ///< an answer for which there was no room yet
    uint64_t held_count;
    bool asked_here;         ///< echoes are ours, so that they are not sent back again
};

/// One step: a message that has come, one of the flood or an answer that is due, or sleeping until there is something to do. What ended the stream, else DONE.
stream_result talk_turn(struct talk *talk);
/// Until the stream ends.
stream_result talk_on(struct talk *talk);
/// Asks how many of our flood have come, and waits for the answer.
stream_result talk_ask(struct talk *talk);

#endif
