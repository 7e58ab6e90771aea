// Something on the loop that becomes ready without the kernel's knowledge: a ring in shared memory.
//
// A source that has found nothing asks the loop to watch it quietly. While the loop polls it looks at its sources between two looks at the poller, which costs no system call;
// before it sleeps, it has each of them declare so to its peer, which from then on rings. So nobody rings for a loop that is awake.

package protocol QuietSource: AnyObject, Sendable {
    /// Whether there is something to do. A look at memory.
    var hasNews: Bool { get }
    /// The loop is about to sleep: from now on the peer is to ring. False when there is something to do after all. It is watched no longer, either way.
    func declareSleep() -> Bool
    /// There is news and the source's member is about to be told. It is watched no longer.
    func wakeUp()
}

/// The quiet sources of one loop, each with the token of the member that is to be told.
struct QuietSources {
    private var all: [(source: any QuietSource, token: UInt64)] = []

    var isEmpty: Bool { all.isEmpty }

    var count: Int { all.count }

    mutating func remove(_ source: any QuietSource) { all.removeAll { $0.source === source } }

    mutating func append(_ source: any QuietSource, _ token: UInt64) { all.append((source, token)) }

    var hasNews: Bool { all.contains { $0.source.hasNews } }

    /// Takes out those that have something, and appends their tokens.
    mutating func takeNews(into tokens: inout [UInt64]) {
        all.removeAll { source, token in
            guard source.hasNews else { return false }
            source.wakeUp()
            tokens.append(token)
            return true
        }
    }

    /// Has all declare that the loop sleeps, and appends the tokens of those that cannot.
    mutating func declareSleep(into tokens: inout [UInt64]) {
        for (source, token) in all where !source.declareSleep() { tokens.append(token) }
        all.removeAll(keepingCapacity: true)
    }
}
