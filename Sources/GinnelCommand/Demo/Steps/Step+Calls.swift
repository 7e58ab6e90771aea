// The good days: the service starts, and is asked things.

import Foundation
import Ginnel

extension Step {
    static let start = Step(title: "A service starts, and only its own user can reach it") { stage, narrator in
        let began = clock
        let service = try await stage.startService()
        let report = EndpointReport(inspecting: stage.path)
        try require(report.findings.isEmpty && report.lockHolder == service.id, "the endpoint is not as it should be: \(report.findings)")
        narrator.say("process \(service.id) listens at \(stage.path) after \(Figure.time(clock - began))")
        let modes = (EndpointReport.octal(report.directory?.mode ?? 0), EndpointReport.octal(report.socket?.mode ?? 0))
        try require(modes == ("0700", "0600"), "the modes are \(modes)")
        narrator.say("its directory has mode \(modes.0), its socket \(modes.1): the file system keeps other users out")
        try await stage.connected { client in
            let peer = client.service ?? PeerIdentity()
            try require(peer.process == service.id, "the kernel names another process")
            narrator.say("process \(ProcessInfo.processInfo.processIdentifier), this one, is its client; before a byte was sent, the kernel said who serves: \(peer)")
        }
        narrator.note("service", .integer(Int(service.id)))
    }

    static let calls = Step(title: "Typed calls") { stage, narrator in
        try await stage.connected { client in
            let began = clock
            let answer = try await client.call(Greet(name: "Ada"), deadline: .seconds(5)).text
            narrator.say("greet(name: \"Ada\") gives \"\(answer)\" after \(Figure.time(clock - began))")
            try require(answer.hasPrefix("Hello, Ada."), "the answer is \(answer)")

            let inTurn = clock
            for number in 1...1_000 { try await check(client, number) }
            let turns = clock - inTurn
            narrator.say("1,000 more, one after the other, take \(Figure.time(turns)): \(Figure.count(Int(1_000 * 1_000_000_000 / turns))) a second")

            let atOnce = clock
            try await withThrowingTaskGroup { group in
                for number in 1...1_000 { group.addTask { try await check(client, number) } }
                try await group.waitForAll()
            }
            let together = clock - atOnce
            narrator.say("1,000 at once on the same connection take \(Figure.time(together)): \(Figure.count(Int(1_000 * 1_000_000_000 / together))) a second")
            narrator.note("calls", 2_001)
        }
    }

    private static func check(_ client: Client, _ number: Int) async throws {
        let answer = try await client.call(Greet(name: "number \(number)"), deadline: .seconds(5)).text
        try require(answer.hasPrefix("Hello, number \(number)."), "call \(number) was answered with \(answer)")
    }
}
