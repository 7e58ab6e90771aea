/* The flow control of docs/protocol.md, section 7: two sides that call each other, over two byte streams that hold very little.
 *
 * Shown for all orders of events, within the bounds below:
 *   - nobody waits for ever: every call that is made ends (a state in which nothing moves and a call has not ended is an error);
 *   - nobody is over-run: requests stay within calls in flight and window, items overdraw their balance at most once.
 *
 * Four processes a side, as in a program: the one that makes calls and consumes items, the one that serves calls, a writer and a reader. Reader and
 * writer are apart, which is the rule that reading never stops because writing is blocked. Sizes are counted in chunks. Requests and replies are chunked, and
 * chunks of different calls mix in any order; control frames go first. There is no CANCEL and no deadline: they only shorten calls.
 * Since the work is bounded, every run is finite, so the absence of dead ends is the end of every call.
 *
 * Broken on purpose, to see that the check finds it:
 *   -DBROKEN    a side does not read while its writing is blocked;
 *   -DWITHHELD  credit for requests is collected up to half a window, also when the peer may need all of it. */

#define CALLS 2       /* calls in flight that each side announces */
#ifndef TOTAL
#define TOTAL 2       /* calls that one side makes in all */
#endif
#ifndef OTHER
#define OTHER TOTAL   /* and the other */
#endif
#ifndef LONGEST
#define LONGEST 3     /* chunks of the longest message */
#endif
#define WINDOW LONGEST  /* chunks of requests that each side holds unfinished: the least that is allowed */
#define ANSWER 2      /* chunks of each reply */
#define ITEM_WINDOW 2
#define ITEM_COST 3   /* more than the window: each item overdraws it */
#ifndef ITEMS
#define ITEMS 2       /* items that a handler sends at most */
#endif
#ifndef ROOM
#define ROOM 1        /* frames that a byte stream holds */
#endif

mtype = { REQUEST, REPLY, ITEM, CREDIT_FOR_REQUESTS, CREDIT_FOR_ITEMS };
mtype = { NONE, ARRIVING, RUNNING, REPLYING };

/* What each side says. Kind, call, and: the length of the whole request with its first chunk and 0 with the others; 1 with the last chunk of a
 * reply; the amount of a credit. */
chan wire0 = [ROOM] of { mtype, byte, byte };
chan wire1 = [ROOM] of { mtype, byte, byte };
#define SEND(side, kind, call, number) if :: side == 0 -> wire0!kind(call, number) :: else -> wire1!kind(call, number) fi

/* A call that this side makes. */
typedef Outgoing {
    bool inFlight;
    byte length;         /* of the request */
    byte unsent;         /* chunks of it */
    byte unread;         /* items that the program has not consumed */
    short itemsAllowed;  /* balance of items, as this side sees it */
    byte itemCredit;     /* to be sent */
};

/* A call that this side serves. */
typedef Incoming {
    mtype phase = NONE;
    byte length;
    byte arrived;
    byte itemsToSend;
    short itemBalance;
    byte itemsQueued;
    byte unsent;         /* chunks of the reply */
};

typedef Side {
    byte ended;          /* calls that this side has made and that have ended */
    byte inFlight;
    short balance;       /* what it may send of requests */
    byte serving;
    short allowed;       /* what the peer may send of requests, as this side sees it */
    byte consumed;       /* requests that are complete and not yet granted again */
    byte credit;         /* to be sent */
    bool isWriting;
    Outgoing own[CALLS];
    Incoming peers[CALLS];
};

Side side[2];

#define ME side[me]

/* Credit is collected, so that it costs one frame for half a window, unless the peer might wait for it. */
#ifdef WITHHELD
#define IS_DUE (2 * ME.consumed >= WINDOW)
#else
#define IS_DUE (2 * ME.consumed >= WINDOW || ME.allowed < LONGEST)
#endif

inline release(chunks) {
    ME.consumed = ME.consumed + chunks;
    if
    :: IS_DUE ->
        ME.credit = ME.credit + ME.consumed;
        ME.allowed = ME.allowed + ME.consumed;
        ME.consumed = 0
    :: else
    fi
}

/* The program: makes calls of any length, and consumes items when it likes. */
#define MINE (me == 0 -> TOTAL : OTHER)
proctype Program(byte me) {
    byte made = 0, want = 0, i;
    do
    :: atomic { made < MINE && want == 0 ->
        if
        :: want = 1
        :: want = LONGEST
        fi }
    :: atomic { want > 0 && ME.inFlight < CALLS && ME.balance >= want ->
            i = 0;
            do
            :: ME.own[i].inFlight -> i++
            :: else -> break
            od;
            ME.own[i].inFlight = true;
            ME.own[i].length = want;
            ME.own[i].unsent = want;
            ME.own[i].itemsAllowed = ITEM_WINDOW;
            ME.own[i].unread = 0;
            ME.own[i].itemCredit = 0;
            ME.inFlight++;
            ME.balance = ME.balance - want;
            made++;
            want = 0;
            i = 0
        }
    :: atomic { ME.own[0].unread > 0 -> ME.own[0].unread--; ME.own[0].itemCredit++; ME.own[0].itemsAllowed = ME.own[0].itemsAllowed + ITEM_COST }
    :: atomic { ME.own[1].unread > 0 -> ME.own[1].unread--; ME.own[1].itemCredit++; ME.own[1].itemsAllowed = ME.own[1].itemsAllowed + ITEM_COST }
    :: ME.ended == MINE -> break
    od
}

/* The handlers: some items while there is credit for them, then the reply, which needs none. */
#define CALL ME.peers[i]
inline serve(call) {
    i = call;
    if
    :: CALL.itemsToSend > 0 ->
        CALL.itemBalance = CALL.itemBalance - ITEM_COST;
        CALL.itemsToSend--;
        CALL.itemsQueued++
    :: else ->
        CALL.phase = REPLYING;
        CALL.unsent = ANSWER
    fi;
    i = 0
}
#define MAY_GO_ON(call) (ME.peers[call].phase == RUNNING && (ME.peers[call].itemsToSend == 0 || ME.peers[call].itemBalance > 0))

proctype Handlers(byte me) {
    byte i;
end:
    do
    :: atomic { MAY_GO_ON(0) -> serve(0) }
    :: atomic { MAY_GO_ON(1) -> serve(1) }
    od
}

/* What waits to be written. A reply keeps behind the items of its call. */
#define HAS_CONTROL (ME.credit > 0 || ME.own[0].itemCredit > 0 || ME.own[1].itemCredit > 0)
#define HAS_MESSAGE(call) (ME.own[call].unsent > 0 || ME.peers[call].itemsQueued > 0 || ME.peers[call].unsent > 0)

proctype Writer(byte me) {
    byte i, number;
    mtype kind;
end:
    do
    :: atomic { HAS_CONTROL || HAS_MESSAGE(0) || HAS_MESSAGE(1) ->
            if
            :: ME.credit > 0 ->
                kind = CREDIT_FOR_REQUESTS; i = 0; number = ME.credit; ME.credit = 0
            :: ME.credit == 0 && HAS_CONTROL ->
                if
                :: ME.own[0].itemCredit > 0 -> i = 0
                :: else -> i = 1
                fi;
                kind = CREDIT_FOR_ITEMS; number = ITEM_COST * ME.own[i].itemCredit; ME.own[i].itemCredit = 0
            :: !HAS_CONTROL ->
                if
                :: HAS_MESSAGE(0) -> i = 0
                :: HAS_MESSAGE(1) -> i = 1
                fi;
                if
                :: ME.own[i].unsent > 0 ->
                    kind = REQUEST;
                    number = (ME.own[i].unsent == ME.own[i].length -> ME.own[i].length : 0);
                    ME.own[i].unsent--
                :: CALL.itemsQueued > 0 ->
                    kind = ITEM; number = 0; CALL.itemsQueued--
                :: CALL.unsent > 0 && CALL.itemsQueued == 0 ->
                    kind = REPLY; CALL.unsent--; number = (CALL.unsent == 0);
                    if
                    :: CALL.unsent == 0 -> CALL.phase = NONE; ME.serving--
                    :: else
                    fi
                fi
            fi;
            ME.isWriting = true
        }
        SEND(me, kind, i, number);
        atomic { ME.isWriting = false; kind = 0; i = 0; number = 0 }
    od
}

inline takeRequest() {
    if
    :: number > 0 ->
        ME.serving++;
        assert(ME.serving <= CALLS);
        ME.allowed = ME.allowed - number;
        assert(ME.allowed >= 0);
        assert(CALL.phase == NONE);
        CALL.phase = ARRIVING;
        CALL.length = number;
        CALL.arrived = 1
    :: else ->
        assert(CALL.phase == ARRIVING);
        CALL.arrived++
    fi;
    if
    :: CALL.arrived == CALL.length ->
        release(CALL.length);
        CALL.phase = RUNNING;
        CALL.itemBalance = ITEM_WINDOW;
        select (chosen : 0 .. ITEMS);
        CALL.itemsToSend = chosen
    :: else
    fi
}

inline take() {
    if
    :: kind == REQUEST -> takeRequest()
    :: kind == REPLY ->
        assert(ME.own[i].inFlight && ME.own[i].unsent == 0);
        if
        :: number == 1 ->
            ME.own[i].inFlight = false; ME.own[i].unread = 0; ME.own[i].itemCredit = 0; ME.own[i].itemsAllowed = 0; ME.own[i].length = 0;
            ME.inFlight--; ME.ended++
        :: else
        fi
    :: kind == ITEM ->
        assert(ME.own[i].inFlight && ME.own[i].itemsAllowed > 0);
        ME.own[i].itemsAllowed = ME.own[i].itemsAllowed - ITEM_COST;
        ME.own[i].unread++
    :: kind == CREDIT_FOR_REQUESTS ->
        ME.balance = ME.balance + number;
        assert(ME.balance <= WINDOW)
    :: kind == CREDIT_FOR_ITEMS ->
        if
        :: CALL.phase == RUNNING -> CALL.itemBalance = CALL.itemBalance + number
        :: else /* the reply is under way */
        fi
    fi;
    kind = 0; i = 0; number = 0; chosen = 0
}

#ifdef BROKEN
#define MAY_READ !ME.isWriting
#else
#define MAY_READ true
#endif

proctype Reader(byte me) {
    byte i, number, chosen;
    mtype kind;
end:
    do
    :: atomic { MAY_READ && me == 0 && nempty(wire1) -> wire1?kind(i, number); take() }
    :: atomic { MAY_READ && me == 1 && nempty(wire0) -> wire0?kind(i, number); take() }
    od
}

init {
    atomic {
        side[0].balance = WINDOW; side[1].balance = WINDOW;
        side[0].allowed = WINDOW; side[1].allowed = WINDOW;
        byte me;
        for (me : 0 .. 1) {
            run Program(me);
            run Handlers(me);
            run Writer(me);
            run Reader(me)
        }
    }
}
