// What follows from a seed before the run begins: limits, delays, who does how much, and how wild the adversary is.

import Ginnel
import GinnelCore
import GinnelTesting

struct Plan {
    /// When the adversary lets go, on the virtual clock. What was begun by then has to come to its end.
    static let duration: UInt64 = 7_000_000_000
    /// Virtual seconds after which a run that has not come to rest will not.
    static let patience: UInt64 = 600

    let seed: UInt64
    let fault: Fault?
    let clients: Int
    /// Whether the outbox of each client is on disk.
    let isKept: [Bool]
    let outbox: OutboxLimits
    let limits: SessionLimits
    let backoff: Backoff
    /// Messages of each client in each of two lanes, calls, streams, uploads.
    let messages: Int
    let calls: Int
    let streams: Int
    let uploads: Int
    let longest: Int
    /// Nanoseconds: a portion on its way, a handler, the pause of a program between two things.
    let latency: Int
    let handling: Int
    let leisure: Int
    /// Bytes that a direction of a connection takes before a writer has to wait.
    let room: Int
    /// One portion in so many is short.
    let splits: Int
    /// One change of a disk in so many fails; 0 for none.
    let diskFailures: Int
    let strikes: Int
    let loops: Int
    let engine: Engine
    let checksums: Bool
    let batching: Batching

    init(seed: UInt64, fault: Fault?) {
        var random = SplitMix64(seed: seed)
        self.seed = seed
        self.fault = fault
        clients = random.number(in: 1...2)
        isKept = [random.oneIn(2), random.oneIn(2)]
        var outbox = OutboxLimits()
        if random.oneIn(3) { outbox.messages = random.number(in: 1...6) }
        if random.oneIn(4) { outbox.bytes = random.number(in: 1_500...4_000) }
        outbox.overflow = [.wait, .wait, .refuse, .dropOldest][random.number(in: 0...3)]
        let isLong = seed % 40 == 39
        longest = isLong ? 70_000 : 900
        if isLong { outbox.bytes = 1 << 20 }
        self.outbox = outbox
        var limits = SessionLimits()
        limits.announced.maximumMessage = isLong ? 100_000 : 1_024
        limits.announced.deliveryWindow = limits.announced.maximumMessage + (random.oneIn(2) ? 128 : random.number(in: 128...8_000))
        limits.announced.requestWindow = limits.announced.maximumMessage * (random.oneIn(2) ? 1 : 8)
        limits.announced.callsInFlight = random.oneIn(4) ? 1 : 64
        limits.announced.itemWindow = random.oneIn(2) ? 64 : 4_096
        self.limits = limits
        backoff = Backoff(base: .milliseconds(random.number(in: 1...200)), cap: .seconds(2), jitter: random.oneIn(2) ? 0.5 : 1)
        messages = random.number(in: 1...10)
        calls = random.number(in: 0...8)
        streams = random.number(in: 0...2)
        uploads = random.number(in: 0...1)
        latency = random.oneIn(4) ? 300_000_000 : 4_000_000
        handling = random.oneIn(4) ? 1_500_000_000 : 30_000_000
        leisure = random.oneIn(2) ? 600_000_000 : 50_000_000
        // What is long would take longer than time-outs allow.
        room = random.oneIn(3) && !isLong ? random.number(in: 100...2_000) : 65_536
        splits = random.number(in: 1...6)
        diskFailures = random.oneIn(5) ? 6 : 0
        strikes = random.number(in: 0...7)
        loops = random.number(in: 1...2)
        engine = random.oneIn(3) ? .threads : .reactor
        // A frame that is changed on the wire would be found by its checksum.
        checksums = fault == nil && seed % 8 == 0
        var batching = Batching.none
        if random.oneIn(3) {
            batching.delay = .microseconds(random.number(in: 1...50_000))
            batching.messages = random.number(in: 1...8)
            batching.bytes = random.number(in: 100...65_536)
        }
        self.batching = batching
    }

    var timeouts: SessionTimeouts {
        var timeouts = SessionTimeouts()
        timeouts.heartbeat = .seconds(1)
        timeouts.handshake = .seconds(2)
        timeouts.readMidMessage = .seconds(3)
        timeouts.write = .seconds(3)
        return timeouts
    }
}
