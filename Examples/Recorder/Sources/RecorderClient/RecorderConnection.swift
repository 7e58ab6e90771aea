// The client's side of the conversation: who is talked to, what happens when nobody is there, and how long an answer may take.

import Foundation
import Ginnel
import RecorderMessages

struct RecorderConnection: Sendable {
    let endpoint: Endpoint
    let trust: TrustedPrograms
    /// What to start when nobody listens, and with which arguments; `nil`: nothing.
    var service: String?
    var serviceArguments: [String] = []

    /// How long an answer may take.
    static let patience = Duration.seconds(30)

    private var configuration: ClientConfiguration {
        var configuration = ClientConfiguration.defaults
        configuration.format = RecorderProtocol.format
        // Asked before a byte is sent: whoever was quicker to take the endpoint is not told anything.
        configuration.policy = trust.policy
        configuration.log = .off
        return configuration
    }

    /// Connects, starting the service when there is none, and runs `body`.
    func run<Result: Sendable>(_ body: @concurrent @escaping @Sendable (Client) async throws -> Result) async throws -> Result {
        if let service, !(try await isServed) { try await start(service) }
        return try await Client.connect(to: endpoint, configuration: configuration, body)
    }

    /// Whether somebody listens.
    private var isServed: Bool {
        get async throws {
            do {
                try await Client.wait(for: endpoint, timeout: .zero)
                return true
            } catch let error as GinnelError where error.code == .timedOut || error.code == .notFound {
                return false
            }
        }
    }

    /// Starts the service, which outlives this program, and waits until it listens: looks every 100 ms, for 10 s.
    private func start(_ program: String) async throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = ["--headless"] + serviceArguments
        // Whoever reads what this program says does not wait for the service's end.
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        do {
            try process.run()
            try await Client.wait(for: endpoint, timeout: .seconds(10), interval: .milliseconds(100))
        } catch {
            throw Problem(.startFailed, "\(program) could not be started: \(error)")
        }
    }
}

extension Client {
    /// A request, with the time that an answer may take.
    func ask<R: RecorderRequest>(_ request: R) async throws -> R.Response { try await call(request, deadline: RecorderConnection.patience) }
}
