// How much went through one channel, and in how many reads and writes: messages over writes is how well small ones are gathered.
//
// Each number has one writer at a time, the loop for what is read and the flusher for what is written, so that counting is a load and a store; others may look at any time.

internal import Synchronization

package struct Traffic: ~Copyable, Sendable {
    /// The numbers at one moment.
    package struct Reading: Sendable, Equatable {
        package var reads: UInt64 = 0
        package var bytesRead: UInt64 = 0
        package var writes: UInt64 = 0
        package var bytesWritten: UInt64 = 0
        /// Messages that were handed to writing whole.
        package var messagesWritten: UInt64 = 0

        package init() {}
    }

    private let reads = Atomic<UInt64>(0)
    private let bytesRead = Atomic<UInt64>(0)
    private let writes = Atomic<UInt64>(0)
    private let bytesWritten = Atomic<UInt64>(0)
    private let messagesWritten = Atomic<UInt64>(0)

    func noteRead(_ bytes: Int) {
        Self.add(1, to: reads)
        Self.add(bytes, to: bytesRead)
    }

    func noteWritten(_ bytes: Int) {
        Self.add(1, to: writes)
        Self.add(bytes, to: bytesWritten)
    }

    /// So many until now, as the session counts them.
    func noteMessages(_ total: UInt64) { messagesWritten.store(total, ordering: .relaxed) }

    private static func add(_ amount: Int, to number: borrowing Atomic<UInt64>) {
        number.store(number.load(ordering: .relaxed) &+ UInt64(truncatingIfNeeded: amount), ordering: .relaxed)
    }

    package var reading: Reading {
        var reading = Reading()
        reading.reads = reads.load(ordering: .relaxed)
        reading.bytesRead = bytesRead.load(ordering: .relaxed)
        reading.writes = writes.load(ordering: .relaxed)
        reading.bytesWritten = bytesWritten.load(ordering: .relaxed)
        reading.messagesWritten = messagesWritten.load(ordering: .relaxed)
        return reading
    }
}
