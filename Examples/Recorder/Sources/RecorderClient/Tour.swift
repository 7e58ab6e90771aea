// The whole recorder in a few seconds, with a service of its own in a directory of its own, both of which are gone at the end. Every line says what the service has answered.

import Foundation
import Ginnel
import RecorderMessages

struct Tour: Sendable {
    private let directory: String
    private let endpoint: Endpoint
    private let arguments: ClientArguments
    private let connection: RecorderConnection

    init(_ arguments: ClientArguments) {
        self.arguments = arguments
        directory = FileManager.default.temporaryDirectory.appendingPathComponent("recorder-\(ProcessInfo.processInfo.processIdentifier)").path
        endpoint = .path(directory + "/service.sock")
        connection = RecorderConnection(
            endpoint: endpoint, trust: arguments.trust, service: arguments.service,
            serviceArguments: ["--endpoint", directory + "/service.sock", "--output", directory, "--token", directory + "/state/token"])
    }

    func run() async throws {
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
        defer { try? FileManager.default.removeItem(atPath: directory) }
        say("nobody listens, so the service is started")
        try await connection.run { client in
            _ = try await client.ask(Ping())
            say("it answers")
            try await RecorderCommand.list(client)
            try await look(client)
            try await setUp(client)
            try await record(client)
            try await agree(client)
            try await refuseASecondService()
            _ = try await client.ask(Shutdown())
            say("the service was asked to end")
        }
        try await waitForTheEnd()
        say("and has ended")
    }

    /// Pictures, and a mark that is in them.
    private func look(_ client: Client) async throws {
        let thumbnail = try await client.ask(GetWindowThumbnail(windowHandle: 102))
        say("a thumbnail of window 102: \(thumbnail.width) x \(thumbnail.height), JPEG of \(thumbnail.data.count) bytes")
        let plain = try await client.ask(GetRegionPreview(monitorId: "SYN-1", x: 0, y: 0, width: 320, height: 200))
        _ = try await client.ask(ShowDisplayHighlight(x: 0, y: 0, width: 320, height: 200))
        let marked = try await client.ask(GetRegionPreview(monitorId: "SYN-1", x: 0, y: 0, width: 320, height: 200))
        _ = try await client.ask(ClearHighlight())
        say("a preview of SYN-1: \(plain.width) x \(plain.height); with the highlight it is \(plain.data == marked.data ? "the same" : "another one")")
    }

    private func setUp(_ client: Client) async throws {
        await complain { _ = try await client.ask(SetOutputFormat(format: "MOV")) }
        await complain { _ = try await client.ask(SetOutputFormat(format: "vhs")) }
        await complain { _ = try await client.ask(StartRegionCapture(monitorId: "SYN-1", x: 0, y: 0, width: 0, height: 20)) }
        await complain { _ = try await client.ask(ShowWindowHighlight(windowHandle: 7)) }
        _ = try await client.ask(SetOutputFormat(format: "APNG"))
        say("the output format is \(try await client.ask(GetOutputFormat()).format.rawValue)")
        _ = try await client.ask(SetTranscriptionConfig(enabled: true))
    }

    private func record(_ client: Client) async throws {
        let what = CaptureRequest.region("SYN-1", x: 20, y: 10, width: 160, height: 120)
        let path = try await Capture(client).record(what, seconds: 2) { event in
            switch event {
            case .stateChanged(let state): say("event: \(state.rawValue)")
            case .elapsedTime(let seconds): say("event: \(seconds) s")
            case .transcriptionSegment(let segment): say("event: said \"\(segment.text)\" at \(segment.timestampSecs)")
            case .transcodingStarted(let format): say("event: saving as \(format)")
            case .transcodingComplete(let success, _): say("event: saved: \(success)")
            case .shutdown: say("event: shutdown")
            }
        }
        let file = try Data(contentsOf: URL(fileURLWithPath: path))
        say("the recording: \(Self.frames(in: file)) frames, \(file.count) bytes")
        let segments = try await client.ask(GetTranscriptionSegments(sinceIndex: 1))
        say("of \(segments.totalCount) pieces of text the last: \(segments.segments.last?.text ?? "")")
        say("a picker would say: \(try await RecorderCommand.selection(client))")
    }

    /// How often the file says that a frame begins.
    private static func frames(in file: Data) -> Int {
        var (count, start) = (0, file.startIndex)
        while let found = file.range(of: Data("fcTL".utf8), in: start..<file.endIndex) { (count, start) = (count + 1, found.upperBound) }
        return count
    }

    private func agree(_ client: Client) async throws {
        let token = ApprovalToken.random()
        let before = try await client.ask(ValidateToken(token: token))
        _ = try await client.ask(StoreToken(token: token))
        let after = try await client.ask(ValidateToken(token: token))
        say("the approval token before and after it was stored: \(before.rawValue), \(after.rawValue)")
    }

    private func refuseASecondService() async throws {
        let (status, said) = try await Self.finished(arguments.service, connection.serviceArguments)
        say("a second service ends with status \(status): \(said.contains("busy") ? "the endpoint is taken" : said)")
    }

    /// Says what a request was refused with.
    private func complain(_ body: () async throws -> Void) async {
        do {
            try await body()
            say("not refused")
        } catch {
            say("refused: \(Problem(error).sentence)")
        }
    }

    /// Runs a program to its end; its status, and what it wrote about errors.
    private static func finished(_ program: String, _ arguments: [String]) async throws -> (Int32, String) {
        let process = Process()
        let errors = Pipe()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.standardError = errors
        return try await withCheckedThrowingContinuation { continuation in
            process.terminationHandler = { process in
                let said = errors.fileHandleForReading.readDataToEndOfFile()
                continuation.resume(returning: (process.terminationStatus, String(decoding: said, as: UTF8.self)))
            }
            do {
                try process.run()
            } catch {
                continuation.resume(throwing: error)
            }
        }
    }

    private func waitForTheEnd() async throws {
        for _ in 0..<100 {
            do {
                try await Client.wait(for: endpoint, timeout: .zero)
            } catch {
                return
            }
            try await Task.sleep(for: .milliseconds(100))
        }
        throw Problem(.general, "the service does not end")
    }
}
