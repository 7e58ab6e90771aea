// How far it has got, for people: a bar on a terminal, lines elsewhere.

import Foundation
import MigrationCommon

struct Display {
    private let name: String
    private let isTerminal = isatty(1) == 1
    private var last = -10

    init(_ name: String) { self.name = name }

    mutating func show(_ progress: Backup.Progress) {
        let percent = Int(progress.percent)
        if isTerminal {
            guard percent != last else { return }
            let filled = percent * 30 / 100
            let bar = String(repeating: "#", count: filled) + String(repeating: ".", count: 30 - filled)
            write("\r\(name): [\(bar)] \(percent) % \(progress.category)\u{1B}[K\(percent >= 100 ? "\n" : "")")
        } else {
            guard percent >= last + 10 || percent == 100, percent != last else { return }
            say("\(name): \(percent) percent, \(progress.category)")
        }
        last = percent
    }

    /// A bar that stays below 100 percent ends its line too.
    func end() { if isTerminal, last < 100 { write("\n") } }

    private func write(_ text: String) { FileHandle.standardOutput.write(Data(text.utf8)) }
}
