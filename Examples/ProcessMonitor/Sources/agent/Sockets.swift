// Which sockets a process has open: the monitor listens on no network.

import Foundation
import ProcessMonitorSupport

struct Sockets {
    private let numbers: Set<String>

    init(of process: UInt32) throws {
        let directory = "/proc/\(process)/fd"
        let links = try FileManager.default.contentsOfDirectory(atPath: directory).compactMap { try? FileManager.default.destinationOfSymbolicLink(atPath: "\(directory)/\($0)") }
        numbers = Set(links.filter { $0.hasPrefix("socket:[") }.map { String($0.dropFirst(8).dropLast()) })
    }

    func show() throws {
        let network = ["tcp", "tcp6", "udp", "udp6", "udplite", "udplite6", "raw", "raw6", "icmp", "icmp6"].flatMap { table in
            let text = (try? String(contentsOfFile: "/proc/net/\(table)", encoding: .utf8)) ?? ""
            return text.split(separator: "\n").dropFirst().map { $0.split(separator: " ") }.filter { $0.count > 9 }.map { String($0[9]) }
        }
        guard !numbers.isEmpty else { throw Surprise("procmond has no sockets at all") }
        let found = numbers.intersection(network)
        guard found.isEmpty else { throw Surprise("procmond has \(found.count) network sockets") }
        say("  agent: procmond has \(numbers.count) sockets, none of a network")
    }
}
