// When which member wants to be called, earliest first. A member has one time at most; an older entry of its is skipped when it comes up.

struct TimerHeap {
    private struct Entry {
        var time: UInt64
        var token: UInt64
    }

    private var heap: [Entry] = []
    private var armed: [UInt64: UInt64] = [:]

    var earliest: UInt64? { heap.first?.time }

    mutating func arm(_ token: UInt64, at time: UInt64) {
        armed[token] = time
        heap.append(Entry(time: time, token: token))
        var child = heap.count - 1
        while child > 0, heap[child].time < heap[(child - 1) / 2].time {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
        if heap.count > 64, heap.count > 4 * armed.count { rebuild() }
    }

    mutating func disarm(_ token: UInt64) { armed[token] = nil }

    /// Takes the member whose time has come, if any.
    mutating func popDue(_ now: UInt64) -> UInt64? {
        while let first = heap.first, first.time <= now {
            removeFirst()
            guard armed[first.token] == first.time else { continue }
            armed[first.token] = nil
            return first.token
        }
        return nil
    }

    private mutating func rebuild() {
        heap = armed.map { Entry(time: $0.value, token: $0.key) }.sorted { $0.time < $1.time }
    }

    private mutating func removeFirst() {
        let last = heap.removeLast()
        guard !heap.isEmpty else { return }
        heap[0] = last
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
