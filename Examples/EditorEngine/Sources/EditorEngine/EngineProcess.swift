// The engine as a child process of the editor.

import Foundation
import Ginnel

enum EngineProcess {
    /// Starts an engine that meets this editor in a directory of their own, and ends it when `body` returns or throws.
    static func run(_ body: (_ directory: String) async throws -> Void) async throws {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("editor-engine-\(ProcessInfo.processInfo.processIdentifier)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
        defer { try? FileManager.default.removeItem(at: directory) }

        let engine = Process()
        let lifeline = Pipe()
        engine.executableURL = Bundle.main.executableURL
        engine.arguments = ["engine", directory.path]
        engine.standardInput = lifeline
        try engine.run()
        defer {
            try? lifeline.fileHandleForWriting.close()
            engine.waitUntilExit()
        }
        for waiting in Waiting.allCases {
            for way in Way.allCases { try await Client.wait(for: way.endpoint(waiting, in: directory.path)) }
            try await Client.wait(for: Context.endpoint(waiting, in: directory.path))
        }
        try await body(directory.path)
    }
}
