// A service and a client that do so many raw calls, one after the other, in one process: for Tests/Allocations, which counts what that allocates.

import Foundation
import Ginnel

enum Allocations {
    static func run(_ options: Options) async throws {
        let count = options.number("calls") ?? 1000
        let isAsync = options["handler"] == "async"
        let (listening, continuation) = AsyncStream.makeStream(of: Void.self)
        var configuration = ServiceConfiguration.defaults
        configuration.log = Log(level: .notice) { _, _, _ in continuation.finish() }
        let service = Service(at: options.endpoint, configuration: configuration)
        service.handle("plain") { bytes, _ in bytes.withUnsafeBytes { [UInt8]($0) } }
        service.handle("async") { bytes, _ async throws -> [UInt8] in bytes }
        async let serving: Void = service.run()
        for await _ in listening {}
        try await Client.connect(to: options.endpoint) { client in
            let payload = [UInt8](repeating: 1, count: 1024)
            let method = isAsync ? "async" : "plain"
            for _ in 0..<count { _ = try await client.call(method, payload: payload) }
        }
        service.beginGracefulShutdown()
        try await serving
    }
}
