// What a connection costs the server that has made one call and says nothing any more.

import Foundation
import Ginnel

struct Idle {
    let options: Options
    let server: Int32

    /// Bytes of the kernel's stack of a thread, which no process is charged for: Linux on x86-64, and on arm64.
    private static let kernelStack = 16 * 1024

    func run(at path: String, _ configuration: ClientConfiguration) async throws -> String {
        let payload = [UInt8](repeating: 7, count: options.size)
        // What the first connection brings about once is not the price of each.
        return try await Caller.withCallers(1, to: path, configuration) { first in
            _ = try await first[0].client.call("plain", payload: payload)
            let before = try memory()
            let each = try await Caller.withCallers(options.connections, to: path, configuration) { callers in
                for caller in callers { _ = try await caller.client.call("plain", payload: payload) }
                return Double(try memory() - before) / Double(callers.count)
            }
            return "{\"memory_bytes\": \(each), \"connections\": \(options.connections)}"
        }
    }

    /// Bytes of the server that lie in memory, the stacks of its threads in the kernel included.
    private func memory() throws -> Int {
        let status = try String(contentsOfFile: "/proc/\(server)/status", encoding: .utf8)
        func number(_ name: String) throws -> Int {
            let line = status.split(separator: "\n").first { $0.hasPrefix(name + ":") }
            guard let value = line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap({ Int($0) }) else {
                throw Wrong(description: "there is no \(name) of the server")
            }
            return value
        }
        return try number("VmRSS") * 1024 + number("Threads") * Self.kernelStack
    }
}
