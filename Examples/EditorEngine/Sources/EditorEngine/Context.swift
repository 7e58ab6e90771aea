// What the editor knows, 200 KB of it, handed to the engine in place: it is written into the memory that both share and read there. The rings without calls
// on top of them, for what is large and needs no method's name.

import Foundation
import Ginnel

struct Context: Sendable {
    let directory: String

    /// 6,400 lines of 32 bytes.
    static let text = (1...6400).flatMap { Array(String(format: "let x = 1  // line %04d of 6400\n", $0).utf8) }

    static func endpoint(_ waiting: Waiting, in directory: String) -> Endpoint { .path("\(directory)/context-\(waiting)") }

    /// Hands the context over once and shows the engine's answer.
    func handOver() async throws {
        say("a context in place:")
        try await connect(.asleep) { stream in
            let answer = try await Self.handOver(through: stream)
            say("  editor: the engine has read \(String(decoding: answer, as: UTF8.self))")
        }
    }

    /// A stream to the engine, on a loop of its own, as long as `body` runs.
    func connect<Result: Sendable>(_ waiting: Waiting, _ body: @concurrent @Sendable (SharedMemoryStream) async throws -> Result) async throws -> Result {
        try await EventLoop.run(waiting.loops) { loop in
            let stream = try await SharedMemoryStream.connect(to: Self.endpoint(waiting, in: directory), options: waiting.stream, on: loop)
            let result = try await body(stream)
            await stream.close()
            return result
        }
    }

    /// Writes the context into the ring and waits for the engine's answer.
    static func handOver(through stream: SharedMemoryStream) async throws -> [UInt8] {
        try await stream.reserve(text.count) { room in
            room.withUnsafeMutableBytes { bytes, count in
                bytes.copyBytes(from: text)
                count = text.count
            }
        }
        guard let answer = try await stream.receive() else { throw GinnelError(.closed, "the engine has gone") }
        return answer
    }

    /// Reads a context that is lent, as a call's payload always is; in a stream it is the very memory that the editor wrote.
    static func summary(of context: borrowing RawSpan) -> [UInt8] {
        var lines = 0
        context.withUnsafeBytes { bytes in
            for byte in bytes where byte == UInt8(ascii: "\n") { lines &+= 1 }
        }
        return Array("\(context.byteCount) bytes, \(lines) lines".utf8)
    }
}
