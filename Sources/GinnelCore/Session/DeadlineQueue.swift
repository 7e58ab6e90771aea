// Deadlines of calls, earliest first. Calls mostly end before their deadline, so entries are not searched for and removed one by one: they are
// left in place and the heap is rebuilt when more than half of it is dead.

package struct DeadlineQueue: Sendable {
    package struct Entry: Sendable, Equatable {
        package var time: UInt64
        package var call: UInt32
    }

    private var heap: [Entry] = []
    private var dead = 0

    package init() {}

    /// The earliest entry's time; may belong to a call that has ended.
    package var earliest: UInt64? { heap.first?.time }

    package mutating func insert(_ time: UInt64, call: UInt32) {
        heap.append(Entry(time: time, call: call))
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard heap[child].time < heap[parent].time else { break }
            heap.swapAt(child, parent)
            child = parent
        }
    }

    /// Entries that are kept, dead ones among them.
    package var count: Int { heap.count }

    /// A call with a deadline has ended before it. `isLive` tells which entries still count.
    package mutating func noteEnded(_ isLive: (Entry) -> Bool) {
        noteEnded(rebuiltBy: { $0.filter(isLive) })
    }

    /// The same for entries that cannot be told apart: `rebuild` makes a new list of the old one.
    package mutating func noteEnded(rebuiltBy rebuild: ([Entry]) -> [Entry]) {
        dead += 1
        guard dead > 64, dead * 2 > heap.count else { return }
        dead = 0
        heap = rebuild(heap).sorted { $0.time < $1.time }
    }

    /// Takes the earliest entry when its time has come.
    package mutating func popDue(_ now: UInt64) -> Entry? {
        guard let first = heap.first, first.time <= now else { return nil }
        let last = heap.removeLast()
        if !heap.isEmpty {
            heap[0] = last
            siftDown()
        }
        return first
    }

    private mutating func siftDown() {
        var parent = 0
        while true {
            var least = parent
            for child in (2 * parent + 1)...(2 * parent + 2) where child < heap.count && heap[child].time < heap[least].time { least = child }
            guard least != parent else { return }
            heap.swapAt(parent, least)
            parent = least
        }
    }
}
