// The agent.
//
//     agent                    starts a monitor and asks it for everything that it can do, and for some things that it cannot; then the same with the transport that is the way back
//     agent --endpoint PATH    asks the monitor that listens there, of whatever make. All else is as the configuration says, `crc32_variant` above all

import Foundation
import Ginnel
import ProcessMonitorSupport

func fail(_ status: Int32, _ sentence: String) -> Never {
    FileHandle.standardError.write(Data("agent: \(sentence)\n".utf8))
    exit(status)
}

let arguments = CommandLine.arguments.dropFirst()
do {
    if arguments.isEmpty {
        try Defaults.show()
        for transport in ["interprocess", "legacy"] {
            say("transport \(transport):")
            try await MonitorProcess.run(transport: transport) { settings in
                let tour = Tour(settings)
                try await tour.run()
            }
        }
    } else if arguments.count == 2, arguments.first == "--endpoint", let path = arguments.last {
        var settings = try MonitorSettings.read()
        settings.endpoint = .path(path)
        try await Visit(settings).run()
    } else {
        fail(2, "agent [--endpoint PATH]")
    }
} catch {
    fail(1, "\(error)")
}
