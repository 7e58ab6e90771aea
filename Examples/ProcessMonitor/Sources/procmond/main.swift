// The monitor. Listens until it is asked to end.

import Foundation
import Ginnel
import ProcessMonitorSupport

do {
    let settings = try MonitorSettings.read()
    try OwnDirectory.make(for: settings.endpoint)
    let service = Service(at: settings.endpoint, format: settings.format, configuration: settings.service)
    Monitor(settings).serve(on: service)
    // Telemetry: which transport is active. `ginnel.metrics` has it too, as the engine.
    say("  procmond: at \(settings.endpoint), transport \(service.engine.transport), \(settings.service.connections.maximum) connections at most")
    try await service.run(until: .terminated)
    say("  procmond: over")
} catch {
    FileHandle.standardError.write(Data("procmond: \(error)\n".utf8))
    exit(1)
}
