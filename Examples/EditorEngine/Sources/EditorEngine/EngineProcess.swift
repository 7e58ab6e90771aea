// The engine as a child process of the editor.

import Foundation
import Ginnel

enum EngineProcess {
    /// Starts an engine that meets this editor in a directory of their own, and ends it when `body` returns or throws.
    static func run(_ body: @escaping @Sendable (_ directory: String) async throws -> Void) async throws {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("editor-engine-\(ProcessInfo.processInfo.processIdentifier)").path
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
        defer { try? FileManager.default.removeItem(atPath: directory) }

        var configuration = SidecarConfiguration.defaults
        configuration.readiness = .listening(
            Waiting.allCases.flatMap { waiting in Way.allCases.map { $0.endpoint(waiting, in: directory) } + [Context.endpoint(waiting, in: directory)] })
        let engine = Sidecar(Bundle.main.executablePath ?? CommandLine.arguments[0], arguments: ["engine", directory], configuration: configuration)
        try await engine.run { try await body(directory) }
    }
}
