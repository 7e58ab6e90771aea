// The word that somebody may have meant: a command, an option, a key of the configuration.

package enum Nearest {
    /// The candidate that the fewest typing errors make of `word`; `nil` when it takes more than half of its letters.
    package static func to(_ word: String, among candidates: [String]) -> String? {
        let best = candidates.map { (candidate: $0, distance: distance(Array(word), Array($0))) }.min { $0.distance < $1.distance }
        guard let best, best.distance <= max(2, min(word.count, best.candidate.count) / 2) else { return nil }
        return best.candidate
    }

    /// How many letters must be put in, left out, changed or swapped with their neighbour to make one word of the other.
    private static func distance(_ first: [Character], _ second: [Character]) -> Int {
        var beforeLast: [Int] = []
        var last = Array(0...second.count)
        for (row, letter) in first.enumerated() {
            var current = [row + 1]
            for (column, other) in second.enumerated() {
                var cost = min(last[column] + (letter == other ? 0 : 1), last[column + 1] + 1, current[column] + 1)
                if row > 0, column > 0, letter == second[column - 1], first[row - 1] == other { cost = min(cost, beforeLast[column - 1] + 1) }
                current.append(cost)
            }
            (beforeLast, last) = (last, current)
        }
        return last[second.count]
    }
}
