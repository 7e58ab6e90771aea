// The agent: starts a monitor and asks it for everything that it can do, and for some things that it cannot; then the same with the transport that is the way back.

import Foundation
import Ginnel
import ProcessMonitorSupport

do {
    try Defaults.show()
    for transport in ["interprocess", "legacy"] {
        say("transport \(transport):")
        try await MonitorProcess.run(transport: transport) { settings in
            let tour = Tour(settings)
            try await tour.run()
        }
    }
} catch {
    FileHandle.standardError.write(Data("agent: \(error)\n".utf8))
    exit(1)
}
