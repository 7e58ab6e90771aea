// Messages that two processes know without telling each other: one sends them, the other knows what must come.

/// An endless sequence of messages whose lengths lie in a range; the same for the same seed in every process. `Tests/Peers/ForeignRing` makes the same ones.
package struct SeededMessages: Sendable {
    private var random: SplitMix64
    private let lengths: ClosedRange<Int>

    package init(seed: UInt64, lengths: ClosedRange<Int>) {
        random = SplitMix64(seed: seed)
        self.lengths = lengths
    }

    package mutating func next() -> [UInt8] { random.bytes(random.number(in: lengths)) }
}
