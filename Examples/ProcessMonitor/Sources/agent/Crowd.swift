// More agents at once than the monitor takes: those for whom there is no place see the end of their connection, and the others are served.

import Ginnel
import ProcessMonitorMessages
import ProcessMonitorSupport

struct Crowd: Sendable {
    private let settings: MonitorSettings

    init(_ settings: MonitorSettings) { self.settings = settings }

    /// Twenty, beside the one that is connected already.
    func push() async throws {
        var configuration = settings.client
        configuration.log = .off
        let clients = (0..<20).map { [configuration] _ in Client(to: settings.endpoint, configuration: configuration) }
        var task = DetectionTask("crowd", .enumerateProcesses)
        task.metadata = DetectionTask.negotiation
        let served = await withTaskGroup { group in
            for client in clients { group.addTask { try? await client.run() } }
            var served = 0
            for client in clients { if let result = try? await client.call(task), result.success { served += 1 } }
            for client in clients { client.close() }
            return served
        }
        say("  agent: of 20 more connections at once \(served) were served")
    }
}
