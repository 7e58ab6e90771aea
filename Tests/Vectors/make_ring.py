#!/usr/bin/env python3
"""Writes ring.txt: what a ring of shared memory holds after each step, made from docs/shared-memory.md alone and from no other code.

    make_ring.py            writes ring.txt beside this file
    make_ring.py --check    fails when ring.txt differs from what would be written

The head of ring.txt says how it is read. Byte i of the pattern is (7 * i + 3) modulo 256.
"""

import pathlib
import struct
import sys

HEAD = """\
# What a ring of shared memory holds after each step. Written by make_ring.py from docs/shared-memory.md.
#
#   ring NAME CAPACITY START      a new ring of zeros, whose control block says what its maker writes, and both of whose counters stand at START
#   write COUNT FIRST RESULT BELL a payload of COUNT bytes of the pattern, from FIRST on. RESULT: fits, full, long (never fits) or violation. BELL: rings or silent
#   read COUNT FIRST BELL         the next record is that payload; it is given back at once
#   read none|violation
#   wait producer|consumer        that side is about to sleep, and has looked in vain before
#   peer OFFSET HEX               the other side writes these bytes, whatever they mean
#   at OFFSET HEX                 the bytes that the step before has changed in the ring, which begins with its control block: all of them, but for those in an `any`
#   any OFFSET COUNT              bytes that may hold anything from here on, until an `at` names them
#
# Byte i of the pattern is (7 * i + 3) modulo 256. A record and the padding before it are published at once. What a ring holds after a violation means nothing.
"""

MAGIC = b"GINRING\0"
PADDING = 0xFFFFFFFF
CONTROL = 512
PRODUCED, PRODUCER_WAITS, CONSUMED, CONSUMER_WAITS = 128, 136, 256, 264
WORD = 2**64


def pattern(first, count):
    return bytes((7 * i + 3) % 256 for i in range(first, first + count))


class Ring:
    """Memory, and what each of the two sides keeps for itself."""

    def __init__(self, lines, name, capacity, start=0):
        self.lines, self.capacity = lines, capacity
        self.memory = bytearray(CONTROL + capacity)
        self.written, self.padding, self.unknown = {}, [], set()
        self.produced = self.consumed = self.known_consumed = self.known_produced = start
        lines.append(f"\nring {name} {capacity} {start}")
        self.put(0, MAGIC + struct.pack("<IIQ", 1, 0, capacity))
        self.put(PRODUCED, struct.pack("<Q", start))
        self.put(CONSUMED, struct.pack("<Q", start))
        self.changes()

    def put(self, offset, data):
        """Writes, and notes what the bytes were before."""
        for i, byte in enumerate(data, offset):
            self.written.setdefault(i, self.memory[i])
            self.memory[i] = byte

    def u64(self, offset):
        return struct.unpack_from("<Q", self.memory, offset)[0]

    def u32(self, offset):
        return struct.unpack_from("<I", self.memory, offset)[0]

    def changes(self):
        """Tells the bytes that are others than before, or were unknown, in runs."""
        for begin, count in self.padding:
            if count:
                self.lines.append(f"any {begin} {count}")
                self.unknown.update(range(begin, begin + count))
        changed = sorted(i for i, before in self.written.items() if self.memory[i] != before or i in self.unknown)
        while changed:
            count = next((n for n, i in enumerate(changed) if i != changed[0] + n), len(changed))
            self.lines.append(f"at {changed[0]} {self.memory[changed[0]:changed[0] + count].hex()}")
            changed = changed[count:]
        self.unknown -= self.written.keys()
        self.written, self.padding = {}, []

    def wake(self, flag):
        """Whoever publishes looks at the other's flag and takes it."""
        if self.u32(flag) != 1:
            return "silent"
        self.put(flag, struct.pack("<I", 0))
        return "rings"

    def place(self, count):
        """Result, padding before the record, and the record's bytes."""
        record = (4 + count + 7) // 8 * 8
        if record > self.capacity // 2:
            return "long", 0, 0
        consumed = self.u64(CONSUMED)
        used, before = (self.produced - consumed) % WORD, (self.produced - self.known_consumed) % WORD
        if used % 8 or used > self.capacity or used > before:
            return "violation", 0, 0
        self.known_consumed = consumed
        left = self.capacity - self.produced % self.capacity
        padding = 0 if record <= left else left
        return ("fits" if padding + record <= self.capacity - used else "full"), padding, record

    def write(self, count, first):
        result, padding, record = self.place(count)
        bell = "silent"
        if result == "fits":
            offset = self.produced % self.capacity
            if padding:
                self.put(CONTROL + offset, struct.pack("<I", PADDING))
                self.padding.append((CONTROL + offset + 4, padding - 4))
                offset = 0
            self.put(CONTROL + offset, struct.pack("<I", count) + pattern(first, count))
            self.padding.append((CONTROL + offset + 4 + count, record - 4 - count))
            self.produced = (self.produced + padding + record) % WORD
            self.put(PRODUCED, struct.pack("<Q", self.produced))
            bell = self.wake(CONSUMER_WAITS)
        self.lines.append(f"write {count} {first} {result} {bell}")
        self.changes()
        return result

    def look(self):
        """The next record as its offset and its count, None, or "violation"."""
        produced = self.u64(PRODUCED)
        published, before = (produced - self.consumed) % WORD, (self.known_produced - self.consumed) % WORD
        if published % 8 or published > self.capacity or published < before:
            return "violation"
        self.known_produced = produced
        if published == 0:
            return None
        offset = self.consumed % self.capacity
        left, length = self.capacity - offset, self.u32(CONTROL + offset)
        if length == PADDING:
            if left >= self.capacity // 2 or left > published:
                return "violation"
            self.consumed = (self.consumed + left) % WORD
            return self.look()
        record = (4 + length + 7) // 8 * 8
        if length > self.capacity // 2 - 4 or record > published or record > left:
            return "violation"
        self.consumed = (self.consumed + record) % WORD
        return offset + 4, length

    def read(self, first=None):
        before = self.consumed
        found = self.look()
        if found == "violation":
            self.lines.append("read violation")
        elif found is None:
            # Padding was passed over, and is given back.
            if self.consumed != before:
                self.put(CONSUMED, struct.pack("<Q", self.consumed))
            self.lines.append("read none")
        else:
            offset, count = found
            assert self.memory[CONTROL + offset:CONTROL + offset + count] == pattern(first, count)
            self.put(CONSUMED, struct.pack("<Q", self.consumed))
            bell = self.wake(PRODUCER_WAITS)
            self.lines.append(f"read {count} {first} {bell}")
        self.changes()

    def wait(self, who):
        self.put(PRODUCER_WAITS if who == "producer" else CONSUMER_WAITS, struct.pack("<I", 1))
        self.lines.append(f"wait {who}")
        self.changes()

    def peer(self, offset, data):
        self.put(offset, data)
        self.written = {}
        self.lines.append(f"peer {offset} {data.hex()}")


def sequences(ring):
    """Records as they are, full rings, and the way round the end."""
    one = ring("one-record", 64)
    one.write(5, 0), one.read(0), one.read()
    empty = ring("empty-payloads", 64)
    for _ in range(8):
        empty.write(0, 0)
    empty.write(0, 0), empty.read(0), empty.write(0, 0)
    exact = ring("exact-fit", 64)
    exact.write(28, 0), exact.write(28, 1), exact.write(0, 2), exact.read(0), exact.write(28, 3), exact.read(1), exact.read(3), exact.read()
    longest = ring("longest", 128)
    longest.write(60, 0), longest.write(61, 0), longest.write(4096, 0), longest.read(0), longest.write(60, 9), longest.read(9)
    wraps = ring("wraps-with-padding", 64)
    wraps.write(20, 0), wraps.read(0), wraps.write(28, 1), wraps.read(1), wraps.write(12, 2), wraps.write(13, 3), wraps.read(2), wraps.read(3), wraps.read()
    room = ring("padding-takes-room", 64, 40)
    room.write(28, 0), room.write(4, 1), room.write(0, 2), room.read(0), room.write(28, 3), room.write(13, 4), room.read(1), room.read(3), room.read()
    refused = ring("full-for-want-of-room-for-padding", 64, 48)
    refused.write(4, 0), refused.write(28, 1), refused.write(20, 2), refused.read(0), refused.read(1), refused.write(20, 2), refused.read(2)
    to_the_end = ring("ends-at-the-end", 64, 32)
    to_the_end.write(28, 0), to_the_end.write(28, 1), to_the_end.read(0), to_the_end.read(1)
    over = ring("counters-pass-their-end", 64, WORD - 40)
    over.write(20, 0), over.write(20, 1), over.read(0), over.write(28, 2), over.read(1), over.read(2), over.read()
    alone = ring("padding-alone", 64, 48)
    alone.peer(CONTROL + 48, struct.pack("<I", PADDING)), alone.peer(PRODUCED, struct.pack("<Q", 64)), alone.read(), alone.read()
    largest = ring("four-kilobytes", 4096, 4096 - 1024)
    largest.write(2044, 0), largest.read(0), largest.write(1, 1), largest.read(1)


def waiting(ring):
    """Who sleeps is rung for once; who does not sleep is not."""
    record = ring("waits-for-a-record", 64)
    record.wait("consumer"), record.write(1, 0), record.write(2, 1), record.read(0), record.read(1), record.read(), record.wait("consumer"), record.write(3, 2)
    room = ring("waits-for-room", 64)
    room.write(28, 0), room.write(28, 1), room.write(28, 2), room.wait("producer"), room.read(0), room.write(28, 2), room.read(1), room.read(2)
    both = ring("an-old-flag-rings-without-cause", 64)
    both.wait("producer"), both.wait("consumer"), both.write(7, 0), both.read(0), both.write(8, 1)


def lies(ring):
    """What the other side may write, and is caught at."""
    def told(name, capacity, *pokes, start=0):
        liar = ring(name, capacity, start)
        for offset, form, value in pokes:
            liar.peer(offset, struct.pack(form, value))
        return liar

    word, counter = "<I", "<Q"
    told("lie-produced-no-multiple-of-8", 64, (PRODUCED, counter, 12)).read()
    told("lie-more-than-the-capacity", 64, (PRODUCED, counter, 72)).read()
    told("lie-produced-goes-back", 64, (PRODUCED, counter, 56), start=64).read()
    told("lie-longer-than-the-longest", 64, (CONTROL, word, 29), (PRODUCED, counter, 64)).read()
    told("lie-longer-than-what-was-published", 64, (CONTROL, word, 20), (PRODUCED, counter, 16)).read()
    told("lie-over-the-end", 64, (CONTROL + 48, word, 20), (PRODUCED, counter, 48 + 64), start=48).read()
    told("lie-padding-that-was-not-published", 64, (CONTROL + 40, word, PADDING), (PRODUCED, counter, 48), start=40).read()
    told("lie-padding-of-half-the-capacity", 64, (CONTROL + 32, word, PADDING), (PRODUCED, counter, 64), start=32).read()
    told("lie-padding-twice", 64, (CONTROL + 56, word, PADDING), (CONTROL, word, PADDING), (PRODUCED, counter, 56 + 64), start=56).read()
    told("lie-almost-padding", 64, (CONTROL, word, PADDING - 1), (PRODUCED, counter, 64)).read()
    # A producer looks at the consumer's counter when it finds no room without.
    for name, value in (("lie-consumed-before-produced", 72), ("lie-consumed-no-multiple-of-8", 4), ("lie-consumed-long-ago", WORD - 8)):
        full = ring(name, 64)
        full.write(28, 0), full.write(28, 1), full.peer(CONSUMED, struct.pack(counter, value)), full.write(1, 2)
    back = ring("lie-consumed-goes-back", 64)
    back.write(28, 0), back.write(28, 1), back.read(0), back.write(20, 2), back.peer(CONSUMED, struct.pack(counter, 24)), back.write(28, 3)


def mixed(ring):
    """Two hundred steps that follow from a simple generator."""
    long, state, unread, number = ring("mixed", 256, 8 * 1001), 1, [], 0
    for _ in range(200):
        state = (state * 6364136223846793005 + 1442695040888963407) % WORD
        count = (state >> 33) % 125
        if (state >> 60) % 2:
            if long.write(count, number) == "fits":
                unread.append(number)
            number += 1
        else:
            long.read(unread.pop(0) if unread else None)


def text():
    lines = []

    def ring(*arguments):
        return Ring(lines, *arguments)

    for part in (sequences, waiting, lies, mixed):
        part(ring)
    return HEAD + "\n".join(lines) + "\n"


def main():
    path = pathlib.Path(__file__).with_name("ring.txt")
    if sys.argv[1:] == ["--check"]:
        if path.read_text() != text():
            sys.exit("ring.txt is not what make_ring.py writes")
    elif sys.argv[1:]:
        sys.exit(__doc__)
    else:
        path.write_text(text())


if __name__ == "__main__":
    main()
