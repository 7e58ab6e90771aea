// What happens in one round, as both processes know it from its seed.

import GinnelCore
import GinnelTesting
import GinnelTransport

struct Plan: Sendable {
    let seed: UInt64
    let ringBytes: Int
    /// Tasks that call, and bare streams, in each direction.
    let callers: Int
    let streams: Int
    /// What each of them does before it stops by itself.
    let calls: Int
    let messages: Int
    /// Bytes of the longest message of a call and of a stream.
    let longestCall: Int
    let longestMessage: Int
    let polls: Bool
    /// How long after its first reply the other process is killed, in microseconds; `nil` when it lives.
    let killedAfter: Int?

    init(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        self.seed = seed
        ringBytes = 4096 << random.number(in: 0...7)
        callers = random.number(in: 1...6)
        streams = random.number(in: 1...6)
        longestCall = 1 << random.number(in: 0...19)
        longestMessage = min(1 << random.number(in: 0...16), ringBytes / 2 - 4)
        // Some MiB for each at most, so that a round takes seconds.
        calls = random.number(in: 1...max(10, min(1_000, (8 << 20) / longestCall)))
        messages = random.number(in: 1...max(50, min(10_000, (8 << 20) / longestMessage)))
        polls = random.oneIn(4)
        killedAfter = random.oneIn(3) ? random.number(in: 0...200_000) : nil
    }

    /// What travels one way; `way` tells them apart.
    func bytes(_ way: UInt64, longest: Int) -> SeededMessages {
        SeededMessages(seed: seed &* 31 &+ way, lengths: 0...longest)
    }

    var options: SharedMemoryStreamOptions {
        var options = polls ? SharedMemoryStreamOptions.lowLatency : .defaults
        options.sharedMemory.ringBytes = ringBytes
        return options
    }
}

/// Pauses at random, none most of the time.
struct Pauses {
    private var random: SplitMix64

    init(_ seed: UInt64) { random = SplitMix64(seed: seed) }

    mutating func pause() async {
        guard random.oneIn(200) else { return }
        try? await Task.sleep(for: .microseconds(random.number(in: 0...3_000)))  // not a wait: a pause is what the other side is to meet
    }
}
