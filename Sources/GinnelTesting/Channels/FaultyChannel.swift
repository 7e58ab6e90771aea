// A channel that does what real ones do rarely and tests almost never see: it moves bytes in splinters, says "would block" for no reason, reports late and
// more often than it must, and breaks.
//
// It stays within the contract of `Channel`, so whatever goes wrong above it is a bug above it. What it does follows from its seed and from the order of the calls alone:
// the same calls meet the same faults. A test that fails prints the seed, and the seed is all it takes to see it again.

package import GinnelCore
package import GinnelTransport

package final class FaultyChannel: Channel, CustomStringConvertible {
    /// What may happen. Chances are one in so many calls; 0 for never.
    package struct Faults: Sendable {
        /// Reads and writes that move a few bytes only.
        package var splinters = 2
        /// Reads and writes that would block although they need not.
        package var refusals = 5
        /// Turns by which an event may be late.
        package var delay = 3
        /// Events that come twice.
        package var echoes = 6
        /// The connection breaks after this many bytes, both directions together.
        package var cutAfter: Int?

        package init() {}
    }

    private struct Direction {
        var random: SplitMix64
        var moved = 0
    }

    private let inner: any Channel
    private let faults: Faults
    private let seed: UInt64
    private let reading: Guarded<Direction>
    private let writing: Guarded<Direction>
    private let budget: Guarded<Int>
    private let relay = Guarded<Relay?>(nil)

    package init(_ inner: any Channel, seed: UInt64, _ faults: Faults = Faults()) {
        self.inner = inner
        self.faults = faults
        self.seed = seed
        reading = Guarded(Direction(random: SplitMix64(seed: seed)))
        writing = Guarded(Direction(random: SplitMix64(seed: ~seed)))
        budget = Guarded(faults.cutAfter ?? .max)
    }

    package var description: String { "faulty channel of seed \(seed)" }

    // MARK: Bytes

    package func read(into buffer: UnsafeMutableRawBufferPointer) -> ReadOutcome {
        if isCut { return .failed(Self.cut) }
        guard let count = portion(of: buffer.count, reading) else {
            report(.readable)
            return .wouldBlock
        }
        let outcome = inner.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<count]))
        if case .bytes(let count, _) = outcome { spend(count) }
        return outcome
    }

    package func write(_ bytes: UnsafeRawBufferPointer) -> WriteOutcome {
        if isCut { return .failed(Self.cut) }
        guard let count = portion(of: bytes.count, writing) else {
            report(.writable)
            return .wouldBlock
        }
        let outcome = inner.write(UnsafeRawBufferPointer(rebasing: bytes[..<count]))
        if case .took(let count) = outcome { spend(count) }
        return outcome
    }

    /// How many bytes this call may move; `nil` when it is told to wait.
    private func portion(of count: Int, _ direction: Guarded<Direction>) -> Int? {
        direction.withLock { direction in
            if faults.refusals > 0, direction.random.oneIn(faults.refusals) { return nil }
            guard faults.splinters > 0, direction.random.oneIn(faults.splinters) else { return count }
            return direction.random.number(in: 1...min(count, direction.random.oneIn(2) ? 20 : 3_000))
        }
    }

    // MARK: Breaking

    private static let cut = SystemError(operation: "cut", sentence: "the connection was broken on purpose")

    private var isCut: Bool { budget.withLock { $0 <= 0 } }

    /// Whoever waits when the connection breaks hears of it.
    private func spend(_ count: Int) {
        let breaks = budget.withLock { budget in
            guard budget != .max else { return false }
            defer { budget -= count }
            return budget > 0 && budget <= count
        }
        if breaks { report([.readable, .writable, .hangup]) }
    }

    // MARK: Events

    /// Says so to the member, a little later.
    private func report(_ readiness: Readiness) { relay.withLock { $0 }?.passOn(readiness) }

    package func attach(to loop: EventLoop, token: UInt64) throws {
        let relay = Relay(loop, target: token, faults, seed: seed)
        try inner.attach(to: loop, token: relay.begin())
        self.relay.withLock { $0 = relay }
    }

    package func noteReadiness(_ readiness: Readiness) -> Readiness { inner.noteReadiness(readiness) }

    package func identify(_ fields: Set<PeerIdentity.Field>) throws -> PeerIdentity { try inner.identify(fields) }

    package func close(drain: Duration) {
        relay.withLock { $0.take() }?.end()
        if isCut { inner.abort() } else { inner.close(drain: drain) }
    }

    package func abort() {
        relay.withLock { $0.take() }?.end()
        inner.abort()
    }
}

/// Stands on the loop in the member's place and passes events on to it, late or twice.
///
/// `@unchecked Sendable`: the variables are touched on the loop only, but for `random`, which is locked.
private final class Relay: LoopMember, @unchecked Sendable {
    private let loop: EventLoop
    private let target: UInt64
    private let faults: FaultyChannel.Faults
    private let random: Guarded<SplitMix64>
    private var token: UInt64 = 0

    init(_ loop: EventLoop, target: UInt64, _ faults: FaultyChannel.Faults, seed: UInt64) {
        self.loop = loop
        self.target = target
        self.faults = faults
        random = Guarded(SplitMix64(seed: seed ^ 0x5EED))
    }

    func begin() -> UInt64 {
        token = loop.add(self)
        return token
    }

    func end() {
        loop.remove(token)
        token = 0
    }

    func isReady(_ readiness: Readiness) { passOn(readiness) }
    func timeHasCome(_ now: Moment) {}
    func flush() {}

    /// Any thread.
    func passOn(_ readiness: Readiness) {
        let (turns, twice) = random.withLock { random in
            (random.number(in: 0...faults.delay), faults.echoes > 0 && random.oneIn(faults.echoes))
        }
        pass(readiness, after: turns)
        if twice { pass(readiness, after: turns + 1) }
    }

    private func pass(_ readiness: Readiness, after turns: Int) {
        loop.post { [self] in
            guard token != 0 else { return }
            if turns == 0 { loop.member(target)?.isReady(readiness) } else { pass(readiness, after: turns - 1) }
        }
    }
}
