// The service and typed clients over a real socket, in one process.

import Foundation
import Ginnel
import RecorderMessages
import Testing

@testable import RecorderService

@Suite(.serialized, .timeLimit(.minutes(2))) struct ServiceTests {
    private static var speaking: ClientConfiguration {
        var configuration = ClientConfiguration.defaults
        configuration.format = RecorderProtocol.format
        configuration.log = .off
        return configuration
    }

    /// A service whose recorder goes on only when the test says so. Ends it unless the test has.
    private static func withService(_ body: @escaping @Sendable (Endpoint, Recorder) async throws -> Void) async throws {
        try await withDirectory { directory in
            let endpoint = Endpoint.path(directory + "/s")
            let start = ContinuousClock.now
            let recorder = Recorder(output: try OutputDirectory(checking: directory), token: ApprovalTokenFile(path: directory + "/state/token")) { ContinuousClock.now - start }
            let service = Service(recorder, at: endpoint, policy: .sameUser, events: .flat)
            try await withThrowingTaskGroup { group in
                group.addTask { try await service.run() }
                try await Client.wait(for: endpoint)
                try await body(endpoint, recorder)
                service.beginGracefulShutdown()
                try await group.waitForAll()
            }
        }
    }

    private static func answers<R: RecorderRequest>(_ request: R, from client: Client) async throws -> Bool {
        do {
            _ = try await client.call(request, deadline: .seconds(10))
            return true
        } catch let error as CallError {
            // An answer in words; anything else would be an end of the connection, or no reply of its type.
            #expect(error.code == FailureCode(rawValue: 1000), "\(error)")
            return false
        }
    }

    @Test func `every request is answered, and with its own reply`() async throws {
        // All but `shutdown`, which has a test of its own: first the samples, then those that were refused with what exists here.
        try await Self.withService { endpoint, recorder in
            try await Client.connect(to: endpoint, configuration: Self.speaking) { client in
                var refused: [String] = []
                for (request, _) in MessageTests.requests where !(request is Shutdown) {
                    if try await !Self.answers(request, from: client) { refused.append(type(of: request).method) }
                }
                // What the samples name does not exist here, and nothing is being recorded.
                #expect(
                    refused == [
                        "start_window_capture", "start_display_capture", "start_region_capture", "start_portal_capture", "stop_recording", "set_output_format",
                        "get_window_thumbnail", "get_display_thumbnail", "get_region_preview", "show_window_highlight",
                    ])
                let present: [any RecorderRequest] = [
                    StartWindowCapture(windowHandle: 101), StopRecording(), StartDisplayCapture(monitorId: "SYN-1", width: 320, height: 200), StopRecording(),
                    StartRegionCapture(monitorId: "SYN-1", x: 1, y: 2, width: 30, height: 40), StopRecording(), StartPortalCapture(), StopRecording(),
                    SetOutputFormat(format: "apng"), GetWindowThumbnail(windowHandle: 101), GetDisplayThumbnail(monitorId: "SYN-1"),
                    GetRegionPreview(monitorId: "SYN-1", x: 1, y: 2, width: 30, height: 40), ShowWindowHighlight(windowHandle: 101),
                ]
                #expect(Set(refused) == Set(present.map { type(of: $0).method }))
                for request in present {
                    #expect(try await Self.answers(request, from: client), "\(request)")
                    // Saves what was stopped.
                    await recorder.tick()
                }
                let state = try await client.call(GetRecordingState())
                #expect(state.state == .idle)
            }
        }
    }

    @Test func `events reach those who have subscribed, once each, and nobody else`() async throws {
        try await Self.withService { endpoint, recorder in
            try await Client.connect(to: endpoint, configuration: Self.speaking) { one in
                try await Client.connect(to: endpoint, configuration: Self.speaking) { other in
                    let (heard, unheard) = (one.events(of: RecorderEvent.self), other.events(of: RecorderEvent.self))
                    for _ in 1...3 { _ = try await one.call(SubscribeEvents()) }
                    for seconds in 1...50 { await recorder.emit(.elapsedTime(seconds: UInt64(seconds))) }
                    var iterator = heard.makeAsyncIterator()
                    for seconds in 1...50 {
                        let next = await iterator.next()
                        #expect(next == .event(.elapsedTime(seconds: UInt64(seconds))))
                    }
                    _ = try await other.call(SubscribeEvents())
                    await recorder.emit(.shutdown)
                    var late = unheard.makeAsyncIterator()
                    let first = await late.next()
                    #expect(first == .event(.shutdown))
                }
            }
        }
    }

    @Test func `many clients at once each get what they have asked for`() async throws {
        try await Self.withService { endpoint, _ in
            try await withThrowingTaskGroup { group in
                for _ in 0..<16 {
                    group.addTask {
                        try await Client.connect(to: endpoint, configuration: Self.speaking) { client in
                            for _ in 0..<20 {
                                _ = try await client.call(Ping())
                                let windows = try await client.call(ListWindows())
                                #expect(windows.windows.count == 3)
                            }
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test func `a request to end is answered, told to those who listen, and obeyed`() async throws {
        try await Self.withService { endpoint, _ in
            try await Client.connect(to: endpoint, configuration: Self.speaking) { client in
                let events = client.events(of: RecorderEvent.self)
                _ = try await client.call(SubscribeEvents())
                let answer = try await client.call(Shutdown())
                #expect(answer == OK())
                var iterator = events.makeAsyncIterator()
                let told = await iterator.next()
                #expect(told == .event(.shutdown))
                let end = await iterator.next()
                #expect(end == nil)
            }
            let gone = await #expect(throws: GinnelError.self) { try await Client.wait(for: endpoint, timeout: .zero) }
            #expect(gone != nil)
        }
    }
}
