// What the commands do.

import Foundation
import Ginnel
import RecorderMessages

struct RecorderCommand: Sendable {
    let arguments: ClientArguments

    init(_ arguments: ClientArguments) { self.arguments = arguments }

    func run() async throws {
        switch (arguments.command, arguments.operands.count) {
        case ("help", 0): say(ClientArguments.help)
        case ("tour", 0): try await Tour(arguments).run()
        case ("list", 0): try await connection().run { try await Self.list($0) }
        case ("record", 1...2): try await record()
        case ("select", 0): try await connection().run { say(try await Self.selection($0)) }
        case ("thumbnail", 2): try await saveThumbnail()
        case ("stop", 0): try await connection(starting: false).run { try await Self.stop($0) }
        case ("shutdown", 0): _ = try await connection(starting: false).run { try await $0.ask(Shutdown()) }
        default: throw Problem(.badArguments, "not a command with what belongs to it\n\(ClientArguments.help)")
        }
    }

    private func connection(starting: Bool = true) -> RecorderConnection {
        RecorderConnection(endpoint: arguments.endpoint, trust: arguments.trust, service: starting ? arguments.service : nil, serviceArguments: arguments.serviceArguments)
    }

    static func list(_ client: Client) async throws {
        for window in try await client.ask(ListWindows()).windows {
            say("window \(window.handle): \(window.title) of \(window.processName), \(window.width) x \(window.height) at \(window.x),\(window.y)")
        }
        for monitor in try await client.ask(ListMonitors()).monitors {
            let kind = monitor.isPrimary ? ", the primary one" : ""
            say("monitor \(monitor.id): \(monitor.name), \(monitor.width) x \(monitor.height) at \(monitor.x),\(monitor.y), scale \(monitor.scaleFactor)\(kind)")
        }
        for source in try await client.ask(ListAudioSources()).sources { say("audio \(source.id): \(source.name) (\(source.sourceType.rawValue))") }
    }

    /// Records until so many seconds have been told of, and waits until the recording is saved.
    private func record() async throws {
        guard let seconds = UInt64(arguments.operands[0]), seconds > 0 else { throw Problem(.badArguments, "\(arguments.operands[0]) is no number of seconds") }
        let what = try arguments.operands.dropFirst().first.map { text throws(Problem) in try CaptureRequest(reading: text) }
        try await connection().run { client in
            let path = try await Capture(client).record(what, seconds: seconds) { _ in }
            say(path)
        }
    }

    /// The line that pickers of the original print.
    static func selection(_ client: Client) async throws -> String {
        guard case .selection(let selection) = try await client.ask(QuerySelection()) else { return "nothing is selected" }
        switch (selection.sourceType, selection.geometry) {
        case (.monitor, _): return "[SELECTION]/screen:\(selection.sourceId)"
        case (.window, _): return "[SELECTION]/window:\(selection.sourceId)"
        case (.region, let area?): return "[SELECTION]/region:\(selection.sourceId)@\(area.x),\(area.y),\(area.width),\(area.height)"
        case (.region, nil): throw Problem(.general, "a region without a place")
        }
    }

    private func saveThumbnail() async throws {
        let what = try CaptureRequest(reading: arguments.operands[0])
        let file = arguments.operands[1]
        try await connection().run { client in
            let thumbnail =
                switch what {
                case .window(let handle): try await client.ask(GetWindowThumbnail(windowHandle: handle))
                case .display(let id): try await client.ask(GetDisplayThumbnail(monitorId: id))
                case .region(let id, let x, let y, let width, let height):
                    try await client.ask(GetRegionPreview(monitorId: id, x: x, y: y, width: width, height: height))
                }
            try thumbnail.data.write(to: URL(fileURLWithPath: file))
            say("\(file): \(thumbnail.width) x \(thumbnail.height)")
        }
    }

    /// Nothing to stop is as good as stopped.
    static func stop(_ client: Client) async throws {
        do {
            say(try await client.ask(StopRecording()).filePath)
        } catch let error as CallError where error.sentence.contains("not recording") {
            say("nothing was being recorded")
        }
    }
}
