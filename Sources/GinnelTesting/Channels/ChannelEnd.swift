// One end of a channel under test: lives on a loop as a driver does, tries things one at a time, and remembers which events came.

package import GinnelCore
package import GinnelTransport

/// `@unchecked Sendable`: the variables are touched on the loop only, but for `channel`, which is locked.
package final class ChannelEnd: LoopMember, @unchecked Sendable {
    private static let patience: UInt64 = 120_000_000_000

    package let loop: EventLoop
    private let channel: Guarded<(any Channel)?>
    private var token: UInt64 = 0
    private var seen: Readiness = []
    private var events = 0
    /// A sender and a receiver may wait at the same time.
    private var waiting: [(wanted: Readiness, continuation: CheckedContinuation<Bool, Never>)] = []

    package init(_ channel: any Channel, on loop: EventLoop) {
        self.channel = Guarded(channel)
        self.loop = loop
    }

    // MARK: A member of the loop

    package func isReady(_ readiness: Readiness) {
        events += 1
        let readiness = channel.withLock { $0 }?.noteReadiness(readiness) ?? readiness
        seen.formUnion(readiness)
        let answered = waiting.filter { !seen.isDisjoint(with: $0.wanted) }
        waiting.removeAll { !seen.isDisjoint(with: $0.wanted) }
        for each in answered {
            seen.subtract(each.wanted)
            each.continuation.resume(returning: true)
        }
    }

    package func timeHasCome(_ now: Moment) {
        for each in waiting { each.continuation.resume(returning: false) }
        waiting = []
    }

    package func flush() {}

    package func attach() async throws {
        try await loop.run { [self] in
            token = loop.add(self)
            try channel.withLock { $0 }?.attach(to: loop, token: token)
        }
    }

    // MARK: Events

    /// Waits for an event of one of these kinds that was not waited for before. A hangup answers for reading and for writing.
    package func event(_ wanted: Readiness) async throws {
        let came = await withCheckedContinuation { continuation in
            loop.post { [self] in
                let wanted = wanted.union(.hangup)
                if seen.isDisjoint(with: wanted) {
                    waiting.append((wanted, continuation))
                    loop.arm(token, at: loop.now.awake.adding(Self.patience))
                } else {
                    seen.subtract(wanted)
                    continuation.resume(returning: true)
                }
            }
        }
        try require(came, "no event of \(wanted.names) came")
    }

    /// Lets the loop go round, so that whatever is about to be reported is.
    package func turns(_ count: Int = 20) async throws {
        for _ in 0..<count { try await loop.run {} }
    }

    /// Whether an event has said that the peer is gone.
    package var hasHeardOfDeparture: Bool { get async throws { try await loop.run { [self] in seen.contains(.gone) } } }

    /// Events so far.
    package var eventCount: Int { get async throws { try await loop.run { [self] in events } } }

    // MARK: Single attempts

    /// Reads once, on the loop.
    package func read(_ capacity: Int = 65_536) async throws -> (outcome: ReadOutcome, bytes: [UInt8]) {
        try await loop.run { [self] in
            var bytes = [UInt8](repeating: 0xEE, count: capacity)
            let outcome = bytes.withUnsafeMutableBytes { buffer in channel.withLock { $0 }?.read(into: buffer) ?? .end }
            guard case .bytes(let count, _) = outcome else { return (outcome, []) }
            try require((1...capacity).contains(count), "a read into \(capacity) bytes says that it read \(count)")
            return (outcome, Array(bytes[..<count]))
        }
    }

    /// Writes once, on the loop or on the calling thread.
    package func write(_ bytes: ArraySlice<UInt8>, onLoop: Bool = true) async throws -> WriteOutcome {
        let outcome = onLoop ? try await loop.run { [self] in attemptWrite(bytes) } : attemptWrite(bytes)
        if case .took(let count) = outcome {
            try require((1...bytes.count).contains(count), "a write of \(bytes.count) bytes says that it took \(count)")
        }
        return outcome
    }

    private func attemptWrite(_ bytes: ArraySlice<UInt8>) -> WriteOutcome {
        bytes.withUnsafeBytes { bytes in channel.withLock { $0 }?.write(bytes) ?? .wouldBlock }
    }

    package func identify(_ fields: Set<PeerIdentity.Field>) async throws -> PeerIdentity? {
        try await loop.run { [self] in try channel.withLock { $0 }?.identify(fields) }
    }

    // MARK: The end

    package func close() async throws { try await loop.run { [self] in channel.withLock { $0 }?.close(drain: .seconds(5)) } }

    package func abort() async throws { try await loop.run { [self] in channel.withLock { $0 }?.abort() } }

    /// Lets go of the channel without a word.
    package func drop() async throws { try await loop.run { [self] in channel.withLock { $0 = nil } } }

    /// Ends everything, whatever happened before.
    package func discard() async {
        _ = try? await loop.run { [self] in
            if token != 0 { loop.remove(token) }
            channel.withLock { $0.take() }?.abort()
        }
    }
}

extension ChannelEnd {
    /// Sends all of it, waiting for the channel where it must.
    package func send(_ bytes: [UInt8], onLoop: Bool = true) async throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            switch try await write(rest, onLoop: onLoop) {
            case .took(let count): rest = rest.dropFirst(count)
            case .wouldBlock: try await event(.writable)
            case .failed(let error): throw ConformanceFailure("a write failed with \(rest.count) of \(bytes.count) bytes to go: \(error)")
            case .violated(let sentence): throw ConformanceFailure("a write found a violation: \(sentence)")
            }
        }
    }

    /// Writes until the channel takes no more, and returns what it took.
    package func fill(upTo limit: Int = 64 << 20) async throws -> [UInt8] {
        var taken: [UInt8] = []
        let unit = ChannelEnd.pattern(100_000)
        while taken.count < limit {
            switch try await write(unit[...]) {
            case .took(let count): taken += unit[..<count]
            case .wouldBlock: return taken
            case .failed(let error): throw ConformanceFailure("a write failed: \(error)")
            case .violated(let sentence): throw ConformanceFailure("a write found a violation: \(sentence)")
            }
        }
        throw ConformanceFailure("the channel took \(limit) bytes that nobody read")
    }

    /// Receives exactly `count` bytes, reading no more often than the contract promises to be worth it.
    package func receive(_ count: Int, capacity: Int = 65_536) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count {
            let (outcome, part) = try await read(min(capacity, count - bytes.count))
            bytes += part
            switch outcome {
            case .bytes(_, let drained): if drained, bytes.count < count { try await event(.readable) }
            case .wouldBlock: try await event(.readable)
            case .end: throw ConformanceFailure("the end came after \(bytes.count) of \(count) bytes")
            case .failed(let error): throw ConformanceFailure("a read failed after \(bytes.count) of \(count) bytes: \(error)")
            case .violated(let sentence): throw ConformanceFailure("a read found a violation after \(bytes.count) of \(count) bytes: \(sentence)")
            }
        }
        return bytes
    }

    /// Receives until the end, and tells how that came: `.end` or `.failed`.
    package func receiveAll() async throws -> (bytes: [UInt8], ending: ReadOutcome) {
        var bytes: [UInt8] = []
        while true {
            let (outcome, part) = try await read()
            bytes += part
            switch outcome {
            case .bytes(_, let drained): if drained { try await event(.readable) }
            case .wouldBlock: try await event(.readable)
            case .end, .failed, .violated: return (bytes, outcome)
            }
        }
    }

    /// Bytes in which a piece that is lost, doubled or misplaced shows.
    package static func pattern(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
        var random = SplitMix64(seed: seed)
        let words = (0..<(count + 7) / 8).map { _ in random.next() }
        return words.withUnsafeBytes { Array($0.prefix(count)) }
    }
}

extension Readiness {
    fileprivate var names: String {
        let named: [(Readiness, String)] = [(.readable, "readable"), (.writable, "writable"), (.hangup, "hangup")]
        return named.filter { contains($0.0) }.map(\.1).joined(separator: " or ")
    }
}
