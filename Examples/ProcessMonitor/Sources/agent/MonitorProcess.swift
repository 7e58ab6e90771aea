// The monitor as a child process of the agent, with a configuration file as an operator would write it.

import Foundation
import Ginnel
import ProcessMonitorSupport

enum MonitorProcess {
    /// Starts a monitor in a directory of its own, and ends it when `body` returns or throws.
    static func run(transport: String, _ body: @escaping @Sendable (MonitorSettings) async throws -> Void) async throws {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("process-monitor-\(ProcessInfo.processInfo.processIdentifier)").path
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
        defer { try? FileManager.default.removeItem(atPath: directory) }
        // The monitor makes the directory of its socket.
        let text = """
            { "ipc": { "transport": "\(transport)", "endpoint_path": "\(directory)/run/procmond.sock", "max_frame_bytes": 1048576, "accept_timeout_ms": 5000,
                       "read_timeout_ms": 30000, "write_timeout_ms": 10000, "max_connections": 16, "crc32_variant": "Ieee" } }
            """
        let file = directory + "/ginnel.json"
        try text.write(toFile: file, atomically: true, encoding: .utf8)
        let settings = MonitorSettings(try ConfigurationFile.read(file))

        var configuration = SidecarConfiguration.defaults
        configuration.environment = [ConfigurationFile.variable: file]
        configuration.readiness = .listening(at: settings.endpoint)
        let own = URL(fileURLWithPath: Bundle.main.executablePath ?? CommandLine.arguments[0])
        let monitor = Sidecar(own.deletingLastPathComponent().appendingPathComponent("procmond").path, configuration: configuration)
        try await monitor.run { try await body(settings) }
    }
}
