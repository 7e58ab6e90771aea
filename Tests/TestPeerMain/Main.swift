// A client whose program begins in `@main`: does the body of its scoped connection run on the client's loop? Prints what it saw, for LoopTests.

import Foundation
import Ginnel

@main struct Main {
    static func main() async throws {
        let endpoint = Endpoint.path(CommandLine.arguments[1])
        print("main \(try await bodyIsOnLoop(endpoint))")
        print("main-actor \(try await fromMainActor(endpoint))")
    }

    @MainActor static func fromMainActor(_ endpoint: Endpoint) async throws -> Bool {
        let isOnLoop = try await bodyIsOnLoop(endpoint)
        MainActor.preconditionIsolated()
        return isOnLoop
    }

    /// Looks before and after the body has waited for a reply.
    nonisolated(nonsending) static func bodyIsOnLoop(_ endpoint: Endpoint) async throws -> Bool {
        try await Client.connect(to: endpoint) { client in
            let before = client.isOnLoop
            _ = try await client.call("echo", payload: [1])
            return before && client.isOnLoop && !Thread.isMainThread
        }
    }
}
