// What is going to happen, in the order of the virtual clock.

struct Agenda {
    private struct Entry {
        let at: UInt64
        let action: () -> Void
    }

    /// Latest first; equal times keep the order in which they were added.
    private var entries: [Entry] = []

    var next: UInt64? { entries.last?.at }

    mutating func add(at time: UInt64, _ action: @escaping () -> Void) {
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].at > time { low = middle + 1 } else { high = middle }
        }
        entries.insert(Entry(at: time, action: action), at: low)
    }

    /// The next thing that is due.
    mutating func popDue(_ now: UInt64) -> (() -> Void)? {
        guard let entry = entries.last, entry.at <= now else { return nil }
        return entries.popLast()?.action
    }
}
