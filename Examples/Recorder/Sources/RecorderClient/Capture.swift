// One recording from its beginning to the file, led by what the service says unasked.

import Foundation
import Ginnel
import RecorderMessages

enum CaptureRequest: Sendable, Equatable {
    case window(Int64)
    case display(String)
    case region(String, x: Int32, y: Int32, width: UInt32, height: UInt32)
}

struct Capture {
    private let client: Client

    init(_ client: Client) { self.client = client }

    /// Records for so many seconds; the path of the recording. `heard` is called with every event.
    func record(_ what: CaptureRequest?, seconds: UInt64, heard: (RecorderEvent) -> Void) async throws -> String {
        let events = client.events(of: RecorderEvent.self)
        _ = try await client.ask(SubscribeEvents())
        try await start(what)
        for await delivery in events {
            guard case .event(let event) = delivery else { continue }
            heard(event)
            switch event {
            case .elapsedTime(let told) where told == seconds: _ = try await client.ask(StopRecording())
            case .transcodingComplete(true, let path?): return path
            case .transcodingComplete: throw Problem(.transcodingFailed, "the recording could not be saved")
            case .shutdown: throw Problem(.captureFailed, "the service ends")
            default: break
            }
        }
        throw Problem(.captureFailed, "the service has gone")
    }

    private func start(_ what: CaptureRequest?) async throws {
        do {
            switch what {
            case .window(let handle): _ = try await client.ask(StartWindowCapture(windowHandle: handle))
            case .display(let id): try await startDisplay { $0.id == id }
            case .region(let id, let x, let y, let width, let height):
                _ = try await client.ask(StartRegionCapture(monitorId: id, x: x, y: y, width: width, height: height))
            case nil: try await startDisplay(\.isPrimary)
            }
        } catch let error as CallError {
            throw Problem(.captureFailed, error.sentence)
        }
    }

    private func startDisplay(_ isWanted: (MonitorInfo) -> Bool) async throws {
        guard let monitor = try await client.ask(ListMonitors()).monitors.first(where: isWanted) else { throw Problem(.captureFailed, "there is no such monitor") }
        _ = try await client.ask(StartDisplayCapture(monitorId: monitor.id, width: monitor.width, height: monitor.height))
    }
}
