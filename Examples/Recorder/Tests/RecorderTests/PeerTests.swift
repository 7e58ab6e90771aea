// The recorder's two programs as processes, and at the other end of each programs that are not ours: Tests/Peers/recorder.py and recorder_service.py, which were written from the format's page,
// and recorder_picker.py, which has Qt's local sockets.

import Foundation
import Ginnel
import RecorderMessages
import Testing

@Suite(.serialized, .timeLimit(.minutes(3))) struct PeerTests {
    /// Which program a script runs in, for those who have to trust it.
    private static func interpreter(_ python: String? = nil) async throws -> String {
        try #require(try await Program.peer("recorder.py", python: python).with("self").run().output.first)
    }

    /// Runs recorder-service with its files in `directory`. What `body` does has to end it.
    private static func withService(
        in directory: String, _ options: [String] = [], _ body: (_ path: String) async throws -> Void
    ) async throws -> Program.Result {
        let path = directory + "/s"
        let arguments = ["--endpoint", path, "--output", directory + "/videos", "--token", directory + "/state/token"] + options
        return try await Program(path: Program.service.path, arguments: arguments).started { service in
            try await Client.wait(for: .path(path))
            try await body(path)
            return try await service.ended()
        }
    }

    private static func shutDown(_ path: String) async throws {
        let ended = try await Program.recorder.with("shutdown", "--endpoint", path).run()
        #expect(ended.status == 0, "\(ended)")
    }

    // MARK: Our service

    @Test(arguments: EventShape.allCases) func `a client in another language has its way, and every malformed one ends without a word`(shape: EventShape) async throws {
        try await withDirectory { directory in
            let options = ["--trust", try await Self.interpreter(), "--events", shape.rawValue]
            let service = try await Self.withService(in: directory, options) { path in
                let client = try await Program.peer("recorder.py").with("client", path, shape.rawValue).run()
                #expect(client.status == 0, "\(client.errors)")
                #expect(
                    client.output == ["bytes", "malformed 31", "invalid", "sources 3 2 1", "pictures", "settings", "recording ok", "approval", "end"])
            }
            #expect(service.status == 0)
            // Whoever is shown out is named in the log, with why.
            #expect(service.errors.contains("reason=protocolViolation"))
        }
    }

    @Test func `a program that is none of the recorder's is turned away unread, and the others are served`() async throws {
        try await withDirectory { directory in
            let service = try await Self.withService(in: directory) { path in
                let stranger = try await Program.peer("recorder.py").with("refused", path).run()
                #expect(stranger.status == 0 && stranger.output == ["refused"], "\(stranger)")
                let friend = try await Program.recorder.with("list", "--endpoint", path).run()
                #expect(friend.status == 0 && friend.output.count == 6, "\(friend)")
                try await Self.shutDown(path)
            }
            #expect(service.errors.contains("the peer's program is none of the recorder's"))
        }
    }

    @Test func `a second service is refused, and the first goes on`() async throws {
        try await withDirectory { directory in
            let service = try await Self.withService(in: directory) { path in
                let second = try await Program.service.with("--endpoint", path, "--output", directory).run()
                #expect(second.status == 1 && second.errors.contains("busy"), "\(second)")
                try await Self.shutDown(path)
            }
            #expect(service.status == 0)
        }
    }

    @Test func `the usual endpoint is where programs of the original look for it`() async throws {
        try await withDirectory { directory in
            let environment = ["XDG_RUNTIME_DIR": directory, "XDG_STATE_HOME": directory]
            try await Program.service.with("--output", directory, environment: environment).started { service in
                let path = directory + "/omnirec/service.sock"
                try await Client.wait(for: .path(path))
                func mode(_ path: String) throws -> Int? { try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int }
                #expect(try mode(path) == 0o600)
                #expect(try mode(directory + "/omnirec") == 0o700)
                let ended = try await Program.recorder.with("shutdown", environment: environment).run()
                #expect(ended.status == 0, "\(ended)")
                #expect(try await service.ended().status == 0)
            }
        }
    }

    @Test func `a service that is asked to end by a signal saves what it records`() async throws {
        try await withDirectory { directory in
            let path = directory + "/s"
            let program = Program.service.with("--endpoint", path, "--output", directory, "--token", directory + "/token")
            try await program.started { service in
                try await Client.wait(for: .path(path))
                var configuration = ClientConfiguration.defaults
                configuration.format = RecorderProtocol.format
                // The service is asked by a program that it does not know, this one, so it is told by a signal.
                let refused = await #expect(throws: (any Error).self) {
                    try await Client.connect(to: .path(path), configuration: configuration) { _ = try await $0.call(Ping()) }
                }
                #expect(refused != nil)
                let recording = try await Program.recorder.with("record", "1", "--endpoint", path).run()
                #expect(recording.status == 0, "\(recording)")
                service.terminate()
                let ended = try await service.ended()
                #expect(ended.status == 0, "\(ended)")
            }
        }
    }

    @Test(arguments: [["--events", "round"], ["--frobnicate"], ["--endpoint"], ["--output", "relative"], ["--output", "/etc"]])
    func `a service that is started wrongly says so and does not begin`(arguments: [String]) async throws {
        let service = try await Program(path: Program.service.path, arguments: arguments).run()
        #expect(service.status == 2 && service.errors.hasPrefix("recorder-service: "), "\(service)")
    }

    // MARK: Our client

    @Test func `a service in another language is asked, however its replies are cut or come together`() async throws {
        try await withDirectory { directory in
            let (path, python) = (directory + "/s", try await Self.interpreter())
            try await Program.peer("recorder_service.py").with(path).started { service in
                try await Client.wait(for: .path(path))
                let recorder = Program.recorder.with("--endpoint", path, "--trust", python)
                let list = try await recorder.with("list").run()
                #expect(
                    list.output == [
                        "window 5: T é of p, 0 x 0 at 0,0", "monitor M: N, 10 x 20 at 0,0, scale 1.0, the primary one", "audio a: b (input)",
                    ], "\(list)")
                let selected = try await recorder.with("select").run()
                #expect(selected.output == ["[SELECTION]/region:M@1,2,3,4"], "\(selected)")
                let recorded = try await recorder.with("record", "1").run()
                #expect(recorded.output == ["/f"], "\(recorded)")
                try await Self.shutDown(path, trusting: python)
                let ended = try await service.ended()
                #expect(ended.status == 0, "\(ended)")
                let begin = #"{"height":20,"monitor_id":"M","type":"start_display_capture","width":10}"#
                let asked = ended.output.filter { $0.hasPrefix("asked [") }.map { Self.sorted($0.dropFirst(6)) }
                #expect(
                    asked == [
                        #"[{"type":"list_windows"},{"type":"list_monitors"},{"type":"list_audio_sources"}]"#, #"[{"type":"query_selection"}]"#,
                        #"[{"type":"subscribe_events"},{"type":"list_monitors"},\#(begin),{"type":"stop_recording"}]"#, #"[{"type":"shutdown"}]"#,
                    ])
            }
        }
    }

    private static func shutDown(_ path: String, trusting python: String) async throws {
        let ended = try await Program.recorder.with("shutdown", "--endpoint", path, "--trust", python).run()
        #expect(ended.status == 0, "\(ended)")
    }

    /// JSON with its members in order.
    private static func sorted(_ text: Substring) -> String {
        let value = try? JSONSerialization.jsonObject(with: Data(text.utf8))
        let data = value.flatMap { try? JSONSerialization.data(withJSONObject: $0, options: .sortedKeys) } ?? Data()
        return String(decoding: data, as: UTF8.self)
    }

    @Test func `whoever sits at the endpoint and is not the service is told nothing`() async throws {
        try await withDirectory { directory in
            let path = directory + "/s"
            let python = try await Self.interpreter()
            try await Program.peer("recorder_service.py").with(path).started { squatter in
                try await Client.wait(for: .path(path))
                let client = try await Program.recorder.with("list", "--endpoint", path).run()
                #expect(client.status == 3 && client.errors.contains("refused"), "\(client)")
                try await Self.shutDown(path, trusting: python)
                let said = try await squatter.ended().output
                #expect(said.last == "end" && said.filter { $0.hasPrefix("asked [") } == [#"asked [{"type":"shutdown"}]"#], "\(said)")
            }
        }
    }

    private static let faults: [(String, Int32, String)] = [
        ("length", 3, "frameTooLarge"), ("text", 3, "protocolViolation"), ("type", 1, "a message of type ok where windows is due"), ("untyped", 1, "no Windows"),
        ("twice", 3, "connection"), ("cut", 3, "in the middle of a message"), ("error", 1, "no é"), ("wordless", 1, "the service gave no reason"),
        ("silent", 3, "before the reply"),
    ]

    @Test(arguments: faults)
    func `a service that answers wrongly is left with the reason`(fault: String, status: Int32, sentence: String) async throws {
        try await withDirectory { directory in
            let (path, python) = (directory + "/s", try await Self.interpreter())
            try await Program.peer("recorder_service.py").with(path, fault).started { _ in
                try await Client.wait(for: .path(path))
                let client = try await Program.recorder.with("list", "--endpoint", path, "--trust", python).run()
                #expect(client.status == status && client.errors.contains(sentence), "\(client)")
            }
        }
    }

    @Test func `the service is started when nobody listens, and only then`() async throws {
        try await withDirectory { directory in
            let path = directory + "/s"
            let none = try await Program.recorder.with("stop", "--endpoint", path).run()
            #expect(none.status == 3, "\(none)")
            for _ in 1...2 {
                let list = try await Program.recorder.with("list", "--endpoint", path).run()
                #expect(list.status == 0 && list.output.count == 6, "\(list)")
            }
            let stopped = try await Program.recorder.with("stop", "--endpoint", path).run()
            #expect(stopped.output == ["nothing was being recorded"], "\(stopped)")
            try await Self.shutDown(path)
        }
    }

    private static let mistakes: [([String], Int32)] = [
        (["list", "--service", "/nonexistent/recorder-service"], 4), (["list", "--service"], 2), (["sing"], 2), (["record"], 2), (["record", "x"], 2),
        (["record", "1", "cinema:5"], 2), (["--loud"], 2), (["thumbnail", "window:x", "/tmp/y"], 2), (["help"], 0),
    ]

    @Test(arguments: mistakes)
    func `a command that cannot be done ends with the status that scripts know`(arguments: [String], status: Int32) async throws {
        try await withDirectory { directory in
            let command = try await Program(path: Program.recorder.path, arguments: ["--endpoint", directory + "/s"] + arguments).run()
            #expect(command.status == status, "\(command)")
        }
    }

    // MARK: Qt

    @Test(.enabled(if: Program.hasQt, "Debian's PyQt5 is not installed")) func `a picker with Qt's sockets picks, approves, reads what comes together, and decodes our pictures`()
        async throws
    {
        try await withDirectory { directory in
            let options = ["--trust", try await Self.interpreter(Program.systemPython)]
            let picker = Program.peer("recorder_picker.py", python: Program.systemPython)
            _ = try await Self.withService(in: directory, options) { path in
                func said(_ words: String...) async throws -> [String] {
                    let result = try await Program(path: picker.path, arguments: picker.arguments + words).run()
                    #expect(result.status == 0, "\(result.errors)")
                    return result.output
                }
                #expect(try await said("pick", path) == ["nothing is selected"])
                #expect(try await said("approve", path) == ["token_invalid token_stored token_valid"])
                #expect(try await said("burst", path) == ["burst coalesced"])
                let recording = try await Program.recorder.with("record", "1", "window:103", "--endpoint", path).run()
                #expect(try await said("pick", path) == ["[SELECTION]/window:103"])
                #expect(try await said("look", path, try #require(recording.output.first)) == ["thumbnails", "frame 64 48 False"])
                try await Self.shutDown(path)
            }
        }
    }
}
