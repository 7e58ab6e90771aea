// No network: a service and its client, watched from outside.

import Foundation
import Ginnel
import GinnelTesting
import Testing

@Suite(.serialized, .ownThread, .timeLimit(.minutes(5))) struct NetworkTests {
    private static let strace = ["/usr/bin/strace", "/bin/strace"].first { FileManager.default.isExecutableFile(atPath: $0) }

    @Test(.enabled(if: strace != nil, "needs strace")) func `a service and its client touch no socket that is not local`() async throws {
        try await withDirectory { directory in
            let service = try Self.watched(["serve", "--endpoint", directory + "/s"], to: directory + "/service.trace")
            try await service.line("listening")
            let client = try Self.watched(["call", "--endpoint", directory + "/s"], to: directory + "/client.trace")
            let connected = try await client.line("connected")
            #expect(try await client.ask("call echo") == "reply x")
            let who = try await client.ask("call who")
            for process in [connected, who].compactMap({ $0.split(separator: " ").last }) {
                let sockets = try Self.sockets(of: process)
                #expect(!sockets.isEmpty)
                let network = try Self.networkSockets().filter { sockets.contains($0.key) }
                #expect(network.isEmpty)
            }
            try client.tell("leave")
            try await client.line("over")
            try service.tell("stop")
            try await service.line("over")
            _ = try await client.status()
            _ = try await service.status()
            for file in ["service", "client"] { try Self.check(String(contentsOfFile: directory + "/\(file).trace", encoding: .utf8)) }
        }
    }

    private static func watched(_ arguments: [String], to file: String) throws -> Child {
        try Child(["-f", "-qq", "-o", file, "-e", "trace=network", Child.program] + arguments, program: strace!)
    }

    /// Every family and address that was named is local.
    private static func check(_ trace: String) throws {
        let lines = trace.split(separator: "\n")
        let naming = lines.filter { line in ["socket(", "socketpair(", "bind(", "connect("].contains { line.contains(" " + $0) } }
        #expect(naming.contains { $0.contains(" socket(AF_UNIX") }, "nothing was seen")
        for line in naming { #expect(line.contains("AF_UNIX"), "\(line)") }
        for line in lines { #expect(!line.contains("AF_INET") && !line.contains("AF_NETLINK") && !line.contains("AF_VSOCK"), "\(line)") }
    }

    /// The sockets that a process has open, by their numbers.
    private static func sockets(of process: Substring) throws -> Set<String> {
        let directory = "/proc/\(process)/fd"
        let links = try FileManager.default.contentsOfDirectory(atPath: directory).compactMap { try? FileManager.default.destinationOfSymbolicLink(atPath: "\(directory)/\($0)") }
        return Set(links.filter { $0.hasPrefix("socket:[") }.map { String($0.dropFirst(8).dropLast()) })
    }

    /// The sockets of all network protocols: their tables' lines by their numbers.
    private static func networkSockets() throws -> [String: String] {
        var numbers: [String: String] = [:]
        for table in ["tcp", "tcp6", "udp", "udp6", "udplite", "udplite6", "raw", "raw6", "icmp", "icmp6"] {
            guard let text = try? String(contentsOfFile: "/proc/self/net/\(table)", encoding: .utf8) else { continue }
            for line in text.split(separator: "\n").dropFirst() {
                let columns = line.split(separator: " ")
                if columns.count > 9 { numbers[String(columns[9])] = "\(table) \(line)" }
            }
        }
        return numbers
    }
}
