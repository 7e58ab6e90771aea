// Which processes a filter admits: those that satisfy every part of it that says something.

import ProcessMonitorMessages

extension ProcessFilter {
    func admits(_ record: ProcessRecord) -> Bool {
        (processNames.isEmpty || processNames.contains(record.name)) && (pids.isEmpty || pids.contains(record.pid)) && admits(executable: record.executablePath)
    }

    /// The pattern is that of the path, or of its last part.
    private func admits(executable path: String?) -> Bool {
        guard let pattern = executablePattern, !pattern.isEmpty else { return true }
        guard let path else { return false }
        return Self.matches(path, pattern) || Self.matches(path[(path.lastIndex(of: "/").map(path.index(after:)) ?? path.startIndex)...], pattern)
    }

    /// `*` stands for any characters, `?` for one, where a combining mark is a character of its own. Takes time in proportion to the product of both lengths at most; a pattern that is longer than a path
    /// can be, 4,096 bytes, matches nothing.
    static func matches(_ text: some StringProtocol, _ pattern: String) -> Bool {
        guard pattern.utf8.count <= 4096 else { return false }
        // Not as `Character`s: comparing one that an agent has made of very many marks can take very long.
        let (text, pattern) = (Array(text.unicodeScalars), Array(pattern.unicodeScalars))
        var (place, part) = (0, 0)
        // Where the last star stands, and the first place that it does not yet cover.
        var star: (part: Int, place: Int)?
        while place < text.count {
            if part < pattern.count, pattern[part] == "*" {
                star = (part, place)
                part += 1
            } else if part < pattern.count, pattern[part] == "?" || pattern[part] == text[place] {
                place += 1
                part += 1
            } else if let last = star {
                star = (last.part, last.place + 1)
                (place, part) = (last.place + 1, last.part + 1)
            } else {
                return false
            }
        }
        return pattern[part...].allSatisfy { $0 == "*" }
    }
}
