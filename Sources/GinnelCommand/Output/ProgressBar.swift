// How far a measurement has come, on standard error and only on a terminal. Drawn ten times a second, on another executor than the work.

internal import CGinnelCommand
import Foundation

struct ProgressBar: Sendable {
    private let label: String
    private let total: Duration
    private let style = Style(descriptor: 2)

    /// `nil` where nobody would see it.
    init?(_ label: String, total: Duration, _ output: Output) {
        guard !output.isJSON, gnc_is_terminal(2) else { return nil }
        self.label = label
        self.total = total
    }

    /// Draws until the task is cancelled, and then removes itself.
    @concurrent func run() async {
        let began = clock
        repeat { draw(Double(clock - began) / Double(max(1, total.nanoseconds))) } while (try? await Task.sleep(for: .milliseconds(100))) != nil
        write("\r\u{1B}[K")
    }

    private func draw(_ share: Double) {
        let share = min(1, max(0, share))
        let columns = Int(gnc_terminal_width(2))
        let width = max(10, min(50, columns - label.count - 12))
        let filled = Int(Double(width) * share)
        let bar = String(repeating: "#", count: filled) + style.dim(String(repeating: ".", count: width - filled))
        write("\r\(label) [\(bar)] \(Int(share * 100))%\u{1B}[K")
    }

    private func write(_ text: String) { try? FileHandle.standardError.write(contentsOf: Data(text.utf8)) }
}
