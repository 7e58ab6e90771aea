// What follows from a seed before the run begins: limits, delays, and how wild the adversary is.

import GinnelCore

struct SimulationPlan: Sendable {
    let seed: UInt64
    let fault: SimulatedFault?
    let senders: Int
    let isKept: [Bool]
    let outboxLimits: OutboxLimits
    let session: SessionLimits
    let backoff: Backoff
    /// Nanoseconds that a portion of bytes takes at most.
    let latency: Int
    /// Bytes that the system takes before a writer has to wait.
    let room: Int
    /// One portion in so many is short.
    let splits: Int
    /// Nanoseconds that a handler takes at most.
    let handling: Int
    /// One write in so many fails; 0 for none.
    let diskFailures: Int
    let strikes: Int
    /// A side that is left alone tries so long, and the run comes to rest sooner than that after the last strike.
    static let patience: UInt64 = 120_000_000_000
    static let duration = 6_000_000_000

    init(seed: UInt64, fault: SimulatedFault?) {
        var random = SplitMix64(seed: seed)
        self.seed = seed
        self.fault = fault
        senders = random.number(in: 1...2)
        isKept = [random.oneIn(2), random.oneIn(2)]
        var outbox = OutboxLimits()
        if random.oneIn(3) { outbox.messages = random.number(in: 1...6) }
        if random.oneIn(4) { outbox.bytes = random.number(in: 1200...3000) }
        outbox.overflow = [.wait, .wait, .refuse, .dropOldest][random.number(in: 0...3)]
        let isLong = seed % 40 == 39
        if isLong { outbox.bytes = 1 << 20 }
        outboxLimits = outbox
        var limits = SessionLimits()
        limits.announced.maximumMessage = isLong ? 100_000 : 1024
        limits.announced.deliveryWindow = limits.announced.maximumMessage + (random.oneIn(2) ? 128 : random.number(in: 128...8000))
        session = limits
        backoff = Backoff(base: .milliseconds(random.number(in: 1...200)), cap: .seconds(2), jitter: random.oneIn(2) ? 0.5 : 1)
        latency = random.oneIn(4) ? 300_000_000 : 4_000_000
        room = random.oneIn(3) ? random.number(in: 100...2000) : 65_536
        splits = random.number(in: 1...6)
        handling = random.oneIn(4) ? 1_500_000_000 : 30_000_000
        diskFailures = random.oneIn(5) ? 6 : 0
        strikes = random.number(in: 0...6)
    }

    func configuration(_ identity: Identity) -> NativeConfiguration {
        var configuration = NativeConfiguration(identity: identity)
        configuration.offersDelivery = true
        configuration.offersChecksums = seed % 8 == 0
        configuration.limits = session
        configuration.timeouts.heartbeat = .seconds(1)
        configuration.timeouts.handshake = .seconds(2)
        configuration.timeouts.readMidMessage = .seconds(3)
        configuration.timeouts.write = .seconds(3)
        return configuration
    }
}
