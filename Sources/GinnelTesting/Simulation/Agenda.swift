// What is going to happen, in the order of a virtual clock.

import GinnelCore

enum SimulatedEvent: Sendable {
    /// Bytes that `from` has written come a portion further.
    case arrive(link: UInt64, from: Role)
    /// The other side's end is noticed.
    case end(link: UInt64, at: Role)
    /// A session wants to look at the clock.
    case wake(link: UInt64, Role)
    case connect(sender: Int, generation: Int)
    /// A sender's program does something.
    case act(sender: Int)
    /// A sender's disk does the next thing.
    case disk(sender: Int, generation: Int)
    /// A handler of the service is done.
    case answer(instance: Int, of: Identity, id: UInt64, FailureCode?)
    case reply(link: UInt64, instance: Int, call: UInt32)
    /// The adversary acts.
    case strike
    case serviceStarts
}

struct Agenda: Sendable {
    private struct Entry: Sendable {
        let at: UInt64
        let number: UInt64
        let event: SimulatedEvent
    }

    /// Nanoseconds on both clocks.
    private(set) var now: UInt64 = 1_000_000_000
    private var number: UInt64 = 0
    /// Latest first.
    private var entries: [Entry] = []

    var moment: Moment { Moment(awake: now, continuous: now) }

    mutating func add(_ event: SimulatedEvent, after delay: UInt64) {
        number += 1
        let entry = Entry(at: now.adding(delay), number: number, event: event)
        // Equal times keep the order in which they were added.
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].at > entry.at { low = middle + 1 } else { high = middle }
        }
        entries.insert(entry, at: low)
    }

    /// Moves the clock to the next event; `nil` when there is none.
    mutating func next() -> SimulatedEvent? {
        guard let entry = entries.popLast() else { return nil }
        now = entry.at
        return entry.event
    }
}
