// What holds when an operator has set nothing, said before anything else: read from a configuration file that is an empty object.

import Foundation
import Ginnel
import ProcessMonitorSupport

enum Defaults {
    static func show() throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("process-monitor-\(ProcessInfo.processInfo.processIdentifier).json").path
        try "{}".write(toFile: file, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: file) }
        let settings = MonitorSettings(try ConfigurationFile.read(file))
        let (service, client) = (settings.service, settings.client)
        guard service.limits.announced.maximumMessage == client.limits.announced.maximumMessage, service.timeouts.readMidMessage == client.timeouts.readMidMessage,
            service.timeouts.write == client.timeouts.write
        else { throw Surprise("the two programs have other defaults: \(service) \(client)") }
        let times = "accepting \(seconds(client.connectTimeout)), reading \(seconds(service.timeouts.readMidMessage)), writing \(seconds(service.timeouts.write))"
        say("defaults: messages of \(service.limits.announced.maximumMessage) bytes; \(service.connections.maximum) connections; \(settings.checksum); seconds for \(times)")
    }

    private static func seconds(_ time: Duration?) -> String { time.map { "\($0 / .seconds(1))" } ?? "without end" }
}
