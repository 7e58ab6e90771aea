// The program that is simulated when nobody brings another: messages of all lanes and sizes, some of them refused.

import GinnelCore

struct SimulatedTraffic: SimulatedLogic {
    private var random: SplitMix64
    private var left: [Int]
    private let longest: Int

    init(seed: UInt64) {
        random = SplitMix64(seed: seed ^ 0x7AFF)
        left = [random.number(in: 1...14), random.number(in: 1...14)]
        longest = seed % 40 == 39 ? 90_000 : 700
    }

    mutating func nextMessage(of sender: Int) -> SimulatedMessage? {
        guard left[sender] > 0 else { return nil }
        left[sender] -= 1
        let size = random.oneIn(4) ? random.number(in: 0...longest) : random.number(in: 0...40)
        return SimulatedMessage(
            name: "m", payload: [UInt8](repeating: UInt8(truncatingIfNeeded: left[sender]), count: size), lane: [Lane.normal, .normal, .high, .low][random.number(in: 0...3)],
            isDurable: random.oneIn(2))
    }

    mutating func serviceRestarted() {}

    /// The answer follows from the message, so that it is the same in every instance.
    mutating func handle(_ message: SimulatedMessage, from sender: Int, redelivered: Bool) -> FailureCode? {
        message.payload.count % 4 == 3 ? FailureCode(rawValue: 1000 + UInt32(message.payload.count)) : nil
    }

    func problems() -> [String] { [] }
}
