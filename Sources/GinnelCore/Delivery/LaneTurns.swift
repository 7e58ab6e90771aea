// Whose turn it is among the lanes that have something to send: by weight, counted in bytes, as within a connection (docs/protocol.md §7, "Lanes").

struct LaneTurns: Sendable {
    private static let weights = [8, 8, 4, 1]
    private static let quantum = 16_384

    private var allowances = [Int](repeating: 0, count: Lane.allCases.count)

    /// The lane whose turn it is among those that are `ready`. The same again until something was spent or a lane came or went.
    mutating func next(among ready: [Bool]) -> Int? {
        guard ready.contains(true) else { return nil }
        for index in ready.indices where !ready[index] { allowances[index] = 0 }
        while true {
            for index in ready.indices where ready[index] && allowances[index] > 0 { return index }
            for index in ready.indices where ready[index] { allowances[index] += Self.weights[index] * Self.quantum }
        }
    }

    mutating func spend(_ bytes: Int, in lane: Int) { allowances[lane] -= bytes }
}
