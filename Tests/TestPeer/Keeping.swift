// A parent: keeps another TestPeer running, which connects to a service of the test. Says `ready PROCESS`.

import Foundation
import Ginnel
import GinnelTransport

enum Keeping {
    static func run(_ options: Options) async throws {
        var configuration = SidecarConfiguration.defaults
        configuration.environment["TESTPEER_CONTROL"] = ""
        configuration.readiness = .line("connected")
        let sidecar = Sidecar(PeerIdentity.own.executable!, arguments: ["call", "--endpoint", options["endpoint"]!], configuration: configuration)
        try await withThrowingTaskGroup { group in
            for await state in sidecar.states {
                if case .idle = state { group.addTask { try await sidecar.run() } }
                if case .ready(let process) = state { say("ready \(process)") }
            }
            try await group.waitForAll()
        }
    }
}
