// The whole terminal, for a view that stays in its place: on the terminal's other screen, so that what stood there before is back when the view ends.

internal import CGinnelCommand
import Foundation

struct Screen: Sendable {
    private let style = Style(descriptor: 1)
    private let readsKeys: Bool

    /// Takes the screen; `leave` gives it back.
    init() {
        readsKeys = gnc_is_terminal(0) && gnc_terminal_read_keys(0) == 0
        Self.write("\u{1B}[?1049h\u{1B}[?25l")
    }

    func leave() {
        Self.write("\u{1B}[?25h\u{1B}[?1049l")
        gnc_terminal_restore()
    }

    var width: Int { Self.orUsual(gnc_terminal_width(1), 80) }
    var height: Int { Self.orUsual(gnc_terminal_height(1), 24) }

    private static func orUsual(_ size: Int32, _ usual: Int) -> Int { size > 0 ? Int(size) : usual }

    /// Shows these lines and nothing else; what was there is overwritten rather than erased, so that nothing flickers. `bold`: which of them stand out.
    func draw(_ lines: [String], bold: Set<Int>) {
        let rows = lines.prefix(height).enumerated().map { index, line in (bold.contains(index) ? style.bold(line) : line) + "\u{1B}[K" }
        Self.write("\u{1B}[H" + rows.joined(separator: "\r\n") + "\u{1B}[J")
    }

    /// Returns when q is pressed, or the task is cancelled.
    func waitForQuit() async {
        let keys = AsyncStream<UInt8> { continuation in
            guard readsKeys else { return }
            // Dispatch's sources may be used from any thread; its protocols do not say so.
            nonisolated(unsafe) let source = DispatchSource.makeReadSource(fileDescriptor: 0, queue: .global())
            source.setEventHandler {
                var key: UInt8 = 0
                if read(0, &key, 1) == 1 { continuation.yield(key) } else { source.cancel() }
            }
            source.resume()
            continuation.onTermination = { _ in source.cancel() }
        }
        for await key in keys where key == UInt8(ascii: "q") || key == UInt8(ascii: "Q") { return }
    }

    private static func write(_ text: String) { try? FileHandle.standardOutput.write(contentsOf: Data(text.utf8)) }
}
