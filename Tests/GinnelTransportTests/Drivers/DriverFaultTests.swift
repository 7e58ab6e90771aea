// Two native sessions with their drivers over channels that do everything a channel may do: every call is answered once, and with its bytes.

import GinnelCore
import GinnelTesting
import GinnelTransport
import Testing

@Suite(.timeLimit(.minutes(2))) struct DriverFaultTests {
    /// One connection over faulty channels.
    private struct Trial {
        let pair: DriverPair
        var random: SplitMix64

        init(seed: UInt64, clientLoop: EventLoop, serviceLoop: EventLoop, cut: Bool = false) async throws {
            random = SplitMix64(seed: seed)
            let (first, second): (any Channel, any Channel) = random.oneIn(2) ? InProcessChannel.pair() : try PlatformChannel.pair()
            var faults = FaultyChannel.Faults()
            faults.splinters = random.number(in: 1...4)
            faults.refusals = random.number(in: 2...8)
            faults.delay = random.number(in: 0...4)
            var broken = faults
            if cut { broken.cutAfter = random.number(in: 1...60_000) }
            let channels = (
                client: FaultyChannel(first, seed: random.next(), random.oneIn(2) ? broken : faults), service: FaultyChannel(second, seed: random.next(), broken)
            )
            // Some replies come at once, some a few turns later.
            pair = try await DriverPair(channels, clientLoop: clientLoop, serviceLoop: serviceLoop) { request, driver in
                Self.reply(request, driver, after: request.payload.count % 4)
            }
        }

        private static func reply(_ request: RecordedRequest, _ driver: Driver, after turns: Int) {
            if turns == 0 { return DriverEnd.echo(request, driver) }
            driver.loop.post { reply(request, driver, after: turns - 1) }
        }

        /// Sizes from nothing to several frames.
        mutating func payload() -> [UInt8] {
            let largest = [0, 20, 500, 5_000, 100_000][random.number(in: 0...4)]
            return ChannelEnd.pattern(random.number(in: 0...max(1, largest)), seed: random.next())
        }
    }

    /// Names the seed when the trial fails to come to its end.
    private static func onSeed(_ seed: UInt64, _ trial: () async throws -> Void) async throws {
        do {
            try await trial()
        } catch {
            Issue.record("seed \(seed): \(error)")
            throw error
        }
    }

    private static func expectEnds(_ pair: DriverPair, _ seed: UInt64) {
        for end in [pair.client, pair.service] {
            #expect(end.record.value.endings.count == 1, "seed \(seed)")
            #expect(end.record.value.violations.isEmpty, "seed \(seed)")
        }
    }

    @Test(arguments: 0..<20) func `every call is answered once, with its bytes`(batch: Int) async throws {
        try await withLoop { loop in
            for seed in UInt64(batch * 15)..<UInt64(batch * 15 + 15) {
                try await Self.onSeed(seed) {
                    var trial = try await Trial(seed: seed, clientLoop: loop, serviceLoop: loop)
                    let pair = trial.pair
                    let payloads = (0..<12).map { _ in trial.payload() }
                    let calls = try await loop.run { payloads.map { pair.client.call($0) } }
                    for (call, payload) in zip(calls, payloads) {
                        let outcome = try await call.outcome
                        #expect(outcome == .replied(payload), "seed \(seed), \(payload.count) bytes")
                    }
                    try await pair.close()
                    for call in calls { #expect(call.outcomes.count == 1, "seed \(seed)") }
                    Self.expectEnds(pair, seed)
                }
            }
        }
    }

    @Test(arguments: 0..<20) func `when the connection breaks, every call ends once, and what was answered was answered with its bytes`(
        batch: Int
    ) async throws {
        try await withLoop { loop in
            for seed in UInt64(10_000 + batch * 15)..<UInt64(10_000 + batch * 15 + 15) {
                try await Self.onSeed(seed) {
                    var trial = try await Trial(seed: seed, clientLoop: loop, serviceLoop: loop, cut: true)
                    let pair = trial.pair
                    let payloads = (0..<12).map { _ in trial.payload() }
                    let calls = try await loop.run { payloads.map { pair.client.call($0) } }
                    for (call, payload) in zip(calls, payloads) {
                        if case .replied(let reply) = try await call.outcome { #expect(reply == payload, "seed \(seed)") }
                    }
                    // Too few bytes may have passed for the connection to break.
                    pair.client.driver.submit(.close(Failure(.shuttingDown, "")))
                    _ = try await pair.client.ending
                    _ = try await pair.service.ending
                    for call in calls { #expect(call.outcomes.count == 1, "seed \(seed)") }
                    Self.expectEnds(pair, seed)
                }
            }
        }
    }

    @Test(arguments: 0..<10) func `callers on several threads get their own answers`(batch: Int) async throws {
        let group = try await EventLoopGroup.start(name: "test", count: 2, .defaults)
        for seed in UInt64(20_000 + batch * 5)..<UInt64(20_000 + batch * 5 + 5) {
            try await Self.onSeed(seed) {
                let trial = try await Trial(seed: seed, clientLoop: group.loops[0], serviceLoop: group.loops[1])
                let pair = trial.pair
                let calls = Watched([(ProbedCall, [UInt8])]())
                try await onThreads(3) { thread in
                    var trial = trial
                    trial.random = SplitMix64(seed: seed &* 31 &+ UInt64(thread))
                    for _ in 0..<6 {
                        let payload = trial.payload()
                        let call = pair.client.call(payload)
                        calls.change { $0.append((call, payload)) }
                    }
                }
                for (call, payload) in calls.value {
                    let outcome = try await call.outcome
                    #expect(outcome == .replied(payload), "seed \(seed), \(payload.count) bytes")
                }
                try await pair.close()
                for (call, _) in calls.value { #expect(call.outcomes.count == 1, "seed \(seed)") }
                Self.expectEnds(pair, seed)
            }
        }
        await group.stop()
    }

    @Test func `the same seed does the same to the same calls`() {
        func fates(_ seed: UInt64) -> [Int] {
            let channel = FaultyChannel(ScriptedChannel(), seed: seed)
            return (0..<200).map { _ in
                let outcome = [UInt8](repeating: 0, count: 5_000).withUnsafeBytes { channel.write($0) }
                return if case .took(let count) = outcome { count } else { 0 }
            }
        }
        #expect(fates(1) == fates(1))
        #expect(fates(1) != fates(2))
        #expect(fates(1).contains(0) && fates(1).contains(5_000) && fates(1).contains { (1..<100).contains($0) })
    }
}
