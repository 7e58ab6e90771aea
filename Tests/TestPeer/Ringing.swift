// The other end of a named ring: writes or reads a sequence of messages that both know. Says `done N`, or what was wrong.
//
// With `--dies-at N` it dies in the middle of message N: in the middle of copying it, since from then on only the first page of the ring may be touched by this process.

import Foundation
import Ginnel
import GinnelTesting

enum Ringing {
    static func run(_ options: Options) async {
        let name: SharedMemoryBuffer.Name = options["naming"] == "boot" ? .perBoot(options["name"] ?? "") : .init(options["name"] ?? "")
        let count = options.number("count") ?? 0
        var messages = SeededMessages(
            seed: UInt64(options.number("seed") ?? 0), lengths: (options.number("shortest") ?? 0)...(options.number("longest") ?? 100))
        do {
            let buffer = try SharedMemoryBuffer.open(name: name, layout: options["layout"] == "headered64" ? .headered64 : .ginnel)
            for index in 0..<(options.number("from") ?? 0) + count {
                let message = messages.next()
                guard index >= options.number("from") ?? 0 else { continue }
                if index == options.number("dies-at") { try forbid(name.systemName) }
                if options["role"] == "write" {
                    try await buffer.write(message, within: .seconds(120))
                } else if try await buffer.read(within: .seconds(120)) != message {
                    return say("message \(index) is another")
                }
            }
            say("done \(count)")
        } catch {
            say("\(error)")
        }
    }

    /// Takes away the right to touch more than the first page of the ring, and makes the attempt end the process as SIGKILL does.
    private static func forbid(_ name: String) throws {
        for fault in [SIGSEGV, SIGBUS] { signal(fault) { _ in kill(getpid(), SIGKILL) } }
        let page = Int(sysconf(Int32(_SC_PAGESIZE)))
        let maps = try FileHandle(forReadingFrom: URL(fileURLWithPath: "/proc/self/maps")).readToEnd() ?? Data()
        for line in String(decoding: maps, as: UTF8.self).split(separator: "\n") where line.hasSuffix("/dev/shm/\(name)") {
            let ends = line.prefix { $0 != " " }.split(separator: "-").compactMap { UInt($0, radix: 16) }
            guard mprotect(UnsafeMutableRawPointer(bitPattern: ends[0] + UInt(page)), Int(ends[1] - ends[0]) - page, PROT_NONE) == 0 else { break }
            return
        }
        say("the ring \(name) cannot be found in this process")
    }
}
