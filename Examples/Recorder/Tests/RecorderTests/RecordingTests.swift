// The recorder with a clock that the test turns: no time passes but what it says.

import Foundation
import RecorderMessages
import Synchronization
import Testing

@testable import RecorderService

@Suite struct RecordingTests {
    /// What the recorder takes for the time, and what it has said.
    private final class World: Sendable {
        let time = Mutex(Duration.zero)
        let heard = Mutex<[RecorderEvent]>([])
        let directory: String
        let recorder: Recorder

        init() throws {
            let directory = NSTemporaryDirectory() + "/recorder-test-\(UUID().uuidString)"
            self.directory = directory
            nonisolated(unsafe) weak var world: World?
            recorder = Recorder(output: try OutputDirectory(checking: directory), token: ApprovalTokenFile(path: directory + "/token/approval-token")) {
                world?.time.withLock { $0 } ?? .zero
            }
            world = self
        }

        deinit { try? FileManager.default.removeItem(atPath: directory) }

        func listen() async {
            await recorder.subscribe(ObjectIdentifier(self)) { [weak self] event in
                self?.heard.withLock { $0.append(event) }
                return self != nil
            }
        }

        func pass(_ span: Duration) async {
            time.withLock { $0 += span }
            await recorder.tick()
        }

        var events: [RecorderEvent] {
            heard.withLock { heard in
                defer { heard = [] }
                return heard
            }
        }
    }

    private static func refusal(_ body: () async throws -> Void) async -> String? {
        do {
            try await body()
            return nil
        } catch {
            return "\(error)"
        }
    }

    @Test func `a recording goes from idle to recording to saving to idle, and its events say so`() async throws {
        let world = try World()
        await world.listen()
        let recorder = world.recorder
        #expect(await recorder.phase == .idle)
        try await recorder.startRegion("SYN-1", x: 10, y: 10, width: 40, height: 20)
        #expect(await recorder.phase == .recording)
        #expect(world.events == [.stateChanged(.recording)])
        await world.pass(.milliseconds(999))
        #expect(world.events == [])
        await world.pass(.milliseconds(1))
        #expect(world.events == [.elapsedTime(seconds: 1)])
        await world.pass(.milliseconds(2500))
        #expect(world.events == [.elapsedTime(seconds: 2), .elapsedTime(seconds: 3)])
        #expect(await recorder.elapsed == 3)
        let stopped = try await recorder.stop()
        #expect(await recorder.phase == .saving)
        #expect(await recorder.elapsed == 0)
        #expect(world.events == [.stateChanged(.saving)])
        #expect(!FileManager.default.fileExists(atPath: stopped.filePath))
        await recorder.tick()
        #expect(
            world.events == [.transcodingStarted(format: "animatedpng"), .transcodingComplete(success: true, path: stopped.filePath), .stateChanged(.idle)])
        #expect(await recorder.phase == .idle)
        #expect(FileManager.default.fileExists(atPath: stopped.filePath))
    }

    @Test func `a recording has a picture for each tenth of a second, and they move`() async throws {
        let world = try World()
        try await world.recorder.start(window: 101)
        for _ in 0..<5 { await world.pass(.milliseconds(300)) }
        let stopped = try await world.recorder.stop()
        let source = try Data(contentsOf: URL(fileURLWithPath: stopped.sourcePath))
        var rest = source
        var pictures: [[UInt8]] = []
        while !rest.isEmpty {
            let picture = try #require(PNG.contents(of: rest))
            #expect(picture.width == 96 && picture.height == 64)
            pictures.append(Array(picture.data))
            rest = rest[picture.end...]
        }
        // At 0.0, 0.1, and so on to 1.5 s.
        #expect(pictures.count == 16)
        #expect(zip(pictures, pictures.dropFirst()).allSatisfy { $0 != $1 })
        #expect(try Transcoder.animate(stopped.sourcePath, into: stopped.filePath) == 16)
        // As a full disk leaves it.
        try source.dropLast(5).write(to: URL(fileURLWithPath: stopped.sourcePath))
        try FileManager.default.removeItem(atPath: stopped.filePath)
        #expect(try Transcoder.animate(stopped.sourcePath, into: stopped.filePath) == 15)
        try Data("no picture".utf8).write(to: URL(fileURLWithPath: stopped.sourcePath))
        #expect(throws: RecorderError.self) { try Transcoder.animate(stopped.sourcePath, into: stopped.filePath + "2") }
    }

    @Test func `what cannot be done is refused with why, and changes nothing`() async throws {
        let world = try World()
        let recorder = world.recorder
        #expect(await Self.refusal { _ = try await recorder.stop() } == "The service is not recording")
        #expect(await Self.refusal { try await recorder.start(window: 7) } == "Window not found")
        #expect(await Self.refusal { try await recorder.startDisplay("DP-9", width: 1, height: 1) } == "Monitor not found")
        #expect(await Self.refusal { try await recorder.startSelected() } == "Nothing has been selected to record")
        #expect(
            await Self.refusal { try await recorder.startDisplay("SYN-1", width: 16_384, height: 16_384) } == "The region does not lie on monitor SYN-1, which is 320 x 200")
        #expect(await Self.refusal { _ = try await recorder.preview("SYN-2", x: -1, y: 0, width: 5, height: 5) } == "The region does not lie on monitor SYN-2, which is 240 x 160")
        #expect(await recorder.phase == .idle)
        try await recorder.start(window: 101)
        #expect(await Self.refusal { try await recorder.start(window: 102) } == "The service is already recording")
        _ = try await recorder.stop()
        #expect(await Self.refusal { try await recorder.start(window: 102) } == "The last recording is still being saved")
        await recorder.tick()
        try await recorder.startSelected()
        #expect(await recorder.selection == .selection(Selection(sourceType: .window, sourceId: "101", hasApprovalToken: false)))
    }

    @Test(arguments: OutputFormatName.allCases) func `formats that cannot be encoded are refused, and the one that can is kept`(format: OutputFormatName) async throws {
        let recorder = try World().recorder
        let refusal = await Self.refusal { try await recorder.setFormat(format.rawValue) }
        #expect(refusal == (format == .animatedpng ? nil : "Output format \(format.rawValue) cannot be encoded here; animatedpng can"))
        #expect(await Self.refusal { try await recorder.setFormat("vhs") } == "Unknown output format: vhs")
        #expect(await recorder.format == .animatedpng)
    }

    @Test func `a recording whose file is gone ends with an event that says so`() async throws {
        let world = try World()
        await world.listen()
        try await world.recorder.start(window: 103)
        let name = try #require(try FileManager.default.contentsOfDirectory(atPath: world.directory).first { $0.hasSuffix(".frames") })
        try FileManager.default.removeItem(atPath: world.directory + "/" + name)
        await world.pass(.seconds(1))
        let stopped = try await world.recorder.stop()
        await world.recorder.tick()
        #expect(world.events.contains(.transcodingComplete(success: false, path: nil)))
        #expect(!FileManager.default.fileExists(atPath: stopped.filePath))
        #expect(await world.recorder.phase == .idle)
    }

    @Test func `what is said is written down while that is wanted, and asked for in parts`() async throws {
        let world = try World()
        let recorder = world.recorder
        try await recorder.start(window: 103)
        await world.pass(.seconds(1))
        await recorder.setTranscription(TranscriptionConfig(enabled: true, modelPath: "/model"))
        #expect(await recorder.transcriptionConfig == TranscriptionConfig(enabled: true, modelPath: "/model"))
        world.time.withLock { $0 += .seconds(2) }
        #expect(await recorder.transcriptionStatus == TranscriptionStatus(modelLoaded: true, active: true, segmentsProcessed: 0, queueDepth: 2))
        await recorder.tick()
        #expect(await recorder.transcriptionStatus == TranscriptionStatus(modelLoaded: true, active: true, segmentsProcessed: 2, queueDepth: 0))
        let last = TranscriptionSegment(timestampSecs: 3, text: "3 seconds")
        #expect(await recorder.transcript(since: 1) == TranscriptionSegments(segments: [last], totalCount: 2))
        #expect(await recorder.transcript(since: .max) == TranscriptionSegments(segments: [], totalCount: 2))
        // No reply is longer than a message may be.
        for _ in 0..<41 { await world.pass(.seconds(10)) }
        let part = await recorder.transcript(since: 0)
        #expect(part.totalCount == 412 && part.segments.count == Recorder.segmentsInOneReply)
        #expect(try part.encoded().count < 65_536)
        #expect(await recorder.transcript(since: 400).segments.count == 12)
    }

    @Test func `windows move, and a highlight is in the pictures until it is cleared`() async throws {
        let world = try World()
        let recorder = world.recorder
        let before = await recorder.windows
        let plain = try await recorder.thumbnail(display: "SYN-1")
        await recorder.highlight(Rectangle(x: 0, y: 0, width: 100, height: 100))
        #expect(try await recorder.thumbnail(display: "SYN-1") != plain)
        try await recorder.highlight(window: 101)
        #expect(try await recorder.thumbnail(display: "SYN-1") != plain)
        await recorder.clearHighlight()
        #expect(try await recorder.thumbnail(display: "SYN-1") == plain)
        await world.pass(.seconds(1))
        let after = await recorder.windows
        #expect(after.map(\.handle) == before.map(\.handle))
        #expect(zip(before, after).allSatisfy { $0.x != $1.x && $0.y != $1.y && $0.width == $1.width })
        #expect(try await recorder.thumbnail(display: "SYN-1") != plain)
    }

    @Test func `windows stay on the desktop for ever`() {
        for frame in stride(from: 0, to: 100_000, by: 997) {
            for window in Desktop.windows {
                let area = Desktop.area(of: window, at: frame)
                #expect(area.intersection(Rectangle(x: 0, y: 0, width: 560, height: 200)) == area)
            }
        }
    }

    @Test func `a subscriber that wants no more is asked no more`() async throws {
        let recorder = try World().recorder
        let asked = Mutex(0)
        let id = NSObject()
        await recorder.subscribe(ObjectIdentifier(id)) { _ in
            asked.withLock {
                $0 += 1
                return $0 < 2
            }
        }
        for _ in 0..<5 { await recorder.emit(.shutdown) }
        #expect(asked.withLock { $0 } == 2)
    }
}
