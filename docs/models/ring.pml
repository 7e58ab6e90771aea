/* The ring of docs/shared-memory.md, sections 1 to 3: one producer, one consumer, memory that both have mapped, a doorbell for each and a socket that is the
 * sign of life.
 *
 * Shown for all orders of events, within the bounds below:
 *   - no wake-up is lost and nobody waits for ever (a state in which nothing moves and one side has not ended is an error);
 *   - records arrive once, whole and in order; whoever survives the other reads all that was published and ends.
 *
 * Memory is not sequentially consistent by itself: a store goes into a buffer and reaches the memory later, behind the stores before it, which is what release and
 * acquire ask for, but perhaps behind loads that come after it. What is sequentially consistent waits until its own buffer is empty; an exchange does, too. Either
 * side can be killed between any two steps; what it had stored still arrives, and then its end of the socket closes. Bells may ring without cause, as
 * they do for the other ring of a segment. Polling is not here: to look again is to be one step earlier. No run goes in circles, which is checked too, so the
 * absence of dead ends is the end of both sides. What is atomic below touches what is shared once, or is an exchange.
 *
 * Broken on purpose, to see that the check finds it: -DMISTAKE=..., made -DBY=0, the producer, or -DBY=1, the consumer. */
#define FLAG_AFTER_LOOK 1      /* the flag is set after the second look */
#define PLAIN_FLAG 2           /* it is set before that look, but not sequentially consistent with it */
#define PLAIN_PUBLISH 3        /* what is published or given back is not sequentially consistent with the look at the flag */
#define COUNTER_BEFORE_COPY 4  /* a record is published before it is written, or given back before it is read */
#define LATE_DRAIN 5           /* the bell is made silent after the second look */
#define SOCKET_AFTER_RING 6    /* the end of the socket is believed without another look at the ring */
#ifndef MISTAKE
#define MISTAKE 0
#define BY 0
#endif
#define MAKES(mistake) (MISTAKE == mistake && me == BY)

#ifndef RECORDS
#define RECORDS 4
#endif
#define SLOTS 4     /* of eight bytes, as it were: a record takes one or two, so both a full ring and a padding record happen */
#define LONGEST 2   /* half the capacity */
#ifndef DELAYED
#define DELAYED 1   /* stores of one side that have not arrived yet */
#endif
#ifndef STRAY
#define STRAY 0     /* rings without cause, in all */
#endif

#define PRODUCED 0
#define CONSUMED 1
#define PRODUCER_WAITS 2
#define CONSUMER_WAITS 3
#define SLOT(counter) (4 + (counter) % SLOTS)
byte memory[4 + SLOTS];
chan stores[2] = [DELAYED] of { byte, byte };  /* of each side: where, and what */

bool bell[2];    /* that wakes this side */
bool closed[2];  /* this side's end of the socket */
bool killed[2];

/* What a slot holds: the number of a record, which begins with 1, and how many slots it takes. */
#define WORD(number, length) ((number) * 4 + (length))
#define LENGTH(word) ((word) % 4)
#define PADDING WORD(0, 3)
#define REST(counter) (SLOTS - (counter) % SLOTS)

/* `me` and `peer` are those of the process that says it. */
#define STORE(cell, value) stores[me]!cell, value
#define FENCE empty(stores[me])
proctype Memory() {
    byte cell, value;
end:
    do
    :: atomic { stores[0]?cell, value -> memory[cell] = value; cell = 0; value = 0 }
    :: atomic { stores[1]?cell, value -> memory[cell] = value; cell = 0; value = 0 }
    od
}

/* Publishes a counter, and rings if the peer sleeps. */
inline advance(cell, counter, flag) {
    STORE(cell, counter);
    FENCE || MAKES(PLAIN_PUBLISH);
    if
    :: memory[flag] == 1 ->
        atomic { FENCE -> got = memory[flag]; memory[flag] = 0 }
        if
        :: atomic { got -> bell[peer] = true; got = false }
        :: else
        fi
    :: else
    fi
}

inline raise(flag) {
    STORE(flag, 1);
    FENCE || MAKES(PLAIN_FLAG)
}

/* Sleeps until the bell rings or the peer is gone, unless the second look finds what is waited for. */
inline sleep(flag, cell, seen, isReady) {
    if
    :: MAKES(FLAG_AFTER_LOOK)
    :: else -> raise(flag)
    fi;
    seen = memory[cell];
    if
    :: isReady
    :: else ->
        if
        :: MAKES(FLAG_AFTER_LOOK) -> raise(flag)
        :: MAKES(LATE_DRAIN) -> bell[me] = false
        :: else
        fi;
        if
        :: bell[me] -> bell[me] = false
        :: closed[peer]
        fi
    fi;
    STORE(flag, 0)
}

/* Looks at the socket, then at the ring: what was published before the end is seen. */
inline look(cell, seen) {
    if
    :: atomic { !MAKES(SOCKET_AFTER_RING) -> isAlone = closed[peer] }
        seen = memory[cell]
    :: atomic { MAKES(SOCKET_AFTER_RING) -> seen = memory[cell] }
        isAlone = closed[peer]
    fi
}

inline copyIn() {
    if
    :: needed > length -> STORE(SLOT(produced), PADDING)
    :: else
    fi;
    do
    :: atomic { slot < length -> slot++; STORE(SLOT(produced + needed - slot), WORD(record, length)) }
    :: atomic { slot == length -> slot = 0; break }
    od
}

#define HAS_ROOM (produced + needed - consumed <= SLOTS)
proctype Producer(byte me; byte peer) {
    byte produced, consumed, record = 1, length, needed, slot;
    bool got, isAlone;
    {
        do
        :: record <= RECORDS ->
            atomic {
                select (length : 1 .. LONGEST);
                needed = (length > REST(produced) -> REST(produced) + length : length)
            }
            do
            :: HAS_ROOM -> break
            :: else ->
                look(CONSUMED, consumed);
                assert(consumed <= produced && produced - consumed <= SLOTS);
                if
                :: HAS_ROOM
                :: !HAS_ROOM && isAlone -> goto ended
                :: else -> sleep(PRODUCER_WAITS, CONSUMED, consumed, HAS_ROOM)
                fi
            od;
            if
            :: MAKES(COUNTER_BEFORE_COPY) -> advance(PRODUCED, produced + needed, CONSUMER_WAITS); copyIn()
            :: else -> copyIn(); advance(PRODUCED, produced + needed, CONSUMER_WAITS)
            fi;
            atomic { produced = produced + needed; record++ }
        :: else -> break
        od;
        /* Closes at once, or stays until all has been read: then nothing but the bell wakes the consumer. */
        if
        :: true
        :: memory[CONSUMED] == produced || closed[peer]
        fi;
ended:
        skip
    } unless { killed[me] };
    atomic { FENCE -> closed[me] = true }
}

inline copyOut() {
    do
    :: atomic { slot < length -> slot++; assert(memory[SLOT(consumed + length - slot)] == WORD(record, length)) }
    :: atomic { slot == length -> slot = 0; break }
    od
}

proctype Consumer(byte me; byte peer) {
    byte consumed, produced, record = 1, length, slot;
    bool got, isAlone;
    {
        do
        :: produced != consumed ->
            length = memory[SLOT(consumed)];
            if
            :: length == PADDING -> consumed = consumed + REST(consumed)
            :: else ->
                length = LENGTH(length);
                if
                :: MAKES(COUNTER_BEFORE_COPY) -> advance(CONSUMED, consumed + length, PRODUCER_WAITS); copyOut()
                :: else -> copyOut(); advance(CONSUMED, consumed + length, PRODUCER_WAITS)
                fi;
                atomic { consumed = consumed + length; record++ }
            fi
        :: else ->
            look(PRODUCED, produced);
            assert(consumed <= produced && produced - consumed <= SLOTS);
            if
            :: produced != consumed
            :: produced == consumed && isAlone -> break
            :: else -> sleep(CONSUMER_WAITS, PRODUCED, produced, produced != consumed)
            fi
        od;
        assert(consumed == memory[PRODUCED]);
        assert(killed[peer] || record == RECORDS + 1)
    } unless { killed[me] };
    atomic { FENCE -> closed[me] = true }
}

/* What comes from outside at any time, or not at all. */
proctype Fate() {
    byte rings;
    do
    :: rings < STRAY -> rings++; if :: bell[0] = true :: bell[1] = true fi
    :: killed[0] = true; break
    :: killed[1] = true; break
    :: break
    od
}

init {
    atomic {
        run Memory();
        run Producer(0, 1);
        run Consumer(1, 0);
        run Fate()
    }
}
