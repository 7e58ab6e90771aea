// Every message as it stands on the wire, written from the format's page, both ways.

import Foundation
import Ginnel
import RecorderMessages
import Testing

@Suite struct MessageTests {
    /// One of every request, in the bytes that the recorder writes.
    static let requests: [(any RecorderRequest, String)] = [
        (ListWindows(), #"{"type":"list_windows"}"#),
        (ListMonitors(), #"{"type":"list_monitors"}"#),
        (ListAudioSources(), #"{"type":"list_audio_sources"}"#),
        (StartWindowCapture(windowHandle: 42), #"{"type":"start_window_capture","window_handle":42}"#),
        (
            StartDisplayCapture(monitorId: "DP-1", width: 1920, height: 1080),
            #"{"type":"start_display_capture","height":1080,"monitor_id":"DP-1","width":1920}"#
        ),
        (
            StartRegionCapture(monitorId: "DP-1", x: -5, y: 10, width: 3, height: 4),
            #"{"type":"start_region_capture","height":4,"monitor_id":"DP-1","width":3,"x":-5,"y":10}"#
        ),
        (StartPortalCapture(), #"{"type":"start_portal_capture"}"#),
        (StopRecording(), #"{"type":"stop_recording"}"#),
        (GetRecordingState(), #"{"type":"get_recording_state"}"#),
        (GetElapsedTime(), #"{"type":"get_elapsed_time"}"#),
        (SubscribeEvents(), #"{"type":"subscribe_events"}"#),
        (GetOutputFormat(), #"{"type":"get_output_format"}"#),
        (SetOutputFormat(format: "mp4"), #"{"type":"set_output_format","format":"mp4"}"#),
        (GetAudioConfig(), #"{"type":"get_audio_config"}"#),
        // Absent ids are null in the request and left out of the reply.
        (
            SetAudioConfig(AudioConfig()),
            #"{"type":"set_audio_config","agc_enabled":false,"agc_noise_gate_enabled":true,"echo_cancellation":true,"enabled":true,"microphone_id":null,"source_id":null}"#
        ),
        (GetWindowThumbnail(windowHandle: 1), #"{"type":"get_window_thumbnail","window_handle":1}"#),
        (GetDisplayThumbnail(monitorId: "DP-1"), #"{"type":"get_display_thumbnail","monitor_id":"DP-1"}"#),
        (
            GetRegionPreview(monitorId: "DP-1", x: 0, y: 0, width: 1, height: 1),
            #"{"type":"get_region_preview","height":1,"monitor_id":"DP-1","width":1,"x":0,"y":0}"#
        ),
        (ShowDisplayHighlight(x: 1, y: 2, width: 3, height: 4), #"{"type":"show_display_highlight","height":4,"width":3,"x":1,"y":2}"#),
        (ShowWindowHighlight(windowHandle: .max), #"{"type":"show_window_highlight","window_handle":9223372036854775807}"#),
        (ClearHighlight(), #"{"type":"clear_highlight"}"#),
        (QuerySelection(), #"{"type":"query_selection"}"#),
        (ValidateToken(token: "t"), #"{"type":"validate_token","token":"t"}"#),
        (StoreToken(token: String(repeating: "0a", count: 32)), #"{"type":"store_token","token":"\#(String(repeating: "0a", count: 32))"}"#),
        (GetTranscriptionConfig(), #"{"type":"get_transcription_config"}"#),
        (SetTranscriptionConfig(enabled: true, modelPath: "/m"), #"{"type":"set_transcription_config","enabled":true,"model_path":"/m"}"#),
        (GetTranscriptionStatus(), #"{"type":"get_transcription_status"}"#),
        (GetTranscriptionSegments(sinceIndex: 7), #"{"type":"get_transcription_segments","since_index":7}"#),
        (Shutdown(), #"{"type":"shutdown"}"#),
        (Ping(), #"{"type":"ping"}"#),
    ]

    private static let replies: [(any WireValue & Equatable, String)] = [
        (Windows(windows: []), #"{"type":"windows","windows":[]}"#),
        (
            Windows(windows: [WindowInfo(handle: 1, title: "é\"", processName: "p", x: -1, y: 2, width: 3, height: 4)]),
            #"{"type":"windows","windows":[{"handle":1,"height":4,"process_name":"p","title":"é\"","width":3,"x":-1,"y":2}]}"#
        ),
        (
            Monitors(monitors: [MonitorInfo(id: "a", name: "b", x: 0, y: 0, width: 1, height: 2, isPrimary: true, scaleFactor: 1.5)]),
            #"{"type":"monitors","monitors":[{"height":2,"id":"a","is_primary":true,"name":"b","scale_factor":1.5,"width":1,"x":0,"y":0}]}"#
        ),
        (
            AudioSources(sources: [AudioSource(id: "a", name: "b", sourceType: .input)]),
            #"{"type":"audio_sources","sources":[{"id":"a","name":"b","source_type":"input"}]}"#
        ),
        (RecordingStarted(), #"{"type":"recording_started"}"#),
        (RecordingStopped(filePath: "/a", sourcePath: "/b"), #"{"type":"recording_stopped","file_path":"/a","source_path":"/b"}"#),
        (RecordingState(state: .saving), #"{"type":"recording_state","state":"saving"}"#),
        (ElapsedTime(seconds: .max), #"{"type":"elapsed_time","seconds":18446744073709551615}"#),
        (Subscribed(), #"{"type":"subscribed"}"#),
        (OutputFormat(format: .animatedpng), #"{"type":"output_format","format":"animatedpng"}"#),
        (OK(), #"{"type":"ok"}"#),
        (
            AudioConfig(),
            #"{"type":"audio_config","agc_enabled":false,"agc_noise_gate_enabled":true,"echo_cancellation":true,"enabled":true}"#
        ),
        (Thumbnail(data: Data([0xFF, 0xD8, 0xFF]), width: 1, height: 2), #"{"type":"thumbnail","data":"/9j/","height":2,"width":1}"#),
        (
            CurrentSelection.selection(Selection(sourceType: .region, sourceId: "a", hasApprovalToken: true, geometry: SelectionGeometry(x: 1, y: 2, width: 3, height: 4))),
            #"{"type":"selection","geometry":{"height":4,"width":3,"x":1,"y":2},"has_approval_token":true,"source_id":"a","source_type":"region"}"#
        ),
        (
            CurrentSelection.selection(Selection(sourceType: .window, sourceId: "7", hasApprovalToken: false)),
            #"{"type":"selection","has_approval_token":false,"source_id":"7","source_type":"window"}"#
        ),
        (CurrentSelection.none, #"{"type":"no_selection"}"#),
        (TokenVerdict.valid, #"{"type":"token_valid"}"#),
        (TokenVerdict.invalid, #"{"type":"token_invalid"}"#),
        (TokenStored(), #"{"type":"token_stored"}"#),
        (TranscriptionConfig(enabled: false), #"{"type":"transcription_config","enabled":false}"#),
        (
            TranscriptionStatus(modelLoaded: true, active: false, segmentsProcessed: 1, queueDepth: 2, error: "e"),
            #"{"type":"transcription_status","active":false,"error":"e","model_loaded":true,"queue_depth":2,"segments_processed":1}"#
        ),
        (
            TranscriptionSegments(segments: [TranscriptionSegment(timestampSecs: 1.5, text: "t")], totalCount: 9),
            #"{"type":"transcription_segments","segments":[{"text":"t","timestamp_secs":1.5}],"total_count":9}"#
        ),
        (Pong(), #"{"type":"pong"}"#),
    ]

    private static let events: [(RecorderEvent, String)] = [
        (.stateChanged(.recording), #""event":"state_changed","state":"recording""#),
        (.elapsedTime(seconds: 3), #""event":"elapsed_time","seconds":3"#),
        (.transcodingStarted(format: "mp4"), #""event":"transcoding_started","format":"mp4""#),
        (.transcodingComplete(success: true, path: "/a"), #""event":"transcoding_complete","path":"/a","success":true"#),
        (.transcodingComplete(success: false, path: nil), #""event":"transcoding_complete","path":null,"success":false"#),
        (.transcriptionSegment(TranscriptionSegment(timestampSecs: 2.25, text: "t")), #""event":"transcription_segment","text":"t","timestamp_secs":2.25"#),
        (.shutdown, #""event":"shutdown""#),
    ]

    private static func check<Value: WireValue & Equatable>(_ value: Value, _ text: String) throws {
        #expect(String(decoding: try value.encoded(), as: UTF8.self) == text)
        #expect(try Value(decoding: Array(text.utf8).span.bytes) == value)
        // What a later version adds is passed over.
        let more = #"{"later":[{"x":1}],"# + text.dropFirst()
        #expect(try Value(decoding: Array(more.utf8).span.bytes) == value)
    }

    @Test func `every request is written and read as on the page`() throws {
        #expect(Self.requests.count == 30)
        #expect(Self.requests.map { type(of: $0.0).method } == RecorderProtocol.requests.map { $0.method })
        for (request, text) in Self.requests {
            try Self.check(request, text)
            try request.check()
        }
    }

    @Test func `every reply is written and read as on the page`() throws {
        for (reply, text) in Self.replies { try Self.check(reply, text) }
    }

    @Test func `every event is written in the shape that is wanted and read in both`() throws {
        for (event, members) in Self.events {
            try Self.check(event, #"{"type":"event",\#(members)}"#)
            try Self.check(ShapedEvent(event, as: .flat), #"{"type":"event",\#(members)}"#)
            try Self.check(ShapedEvent(event, as: .nested), #"{"type":"event","event":{\#(members)}}"#)
            #expect(try RecorderEvent(decoding: Array(#"{"type":"event","event":{\#(members)}}"#.utf8).span.bytes) == event)
        }
    }

    @Test func `members that may be missing have their defaults`() throws {
        func decode<Value: WireValue>(_ text: String) throws -> Value { try Value(decoding: Array(text.utf8).span.bytes) }
        let windows: Windows = try decode(#"{"type":"windows","windows":[{"handle":1,"title":"t","process_name":"p"}]}"#)
        #expect(windows.windows == [WindowInfo(handle: 1, title: "t", processName: "p")])
        let monitors: Monitors = try decode(#"{"type":"monitors","monitors":[{"id":"a","name":"b","x":0,"y":0,"width":1,"height":1,"is_primary":false}]}"#)
        #expect(monitors.monitors.first?.scaleFactor == 1)
        let audio: SetAudioConfig = try decode(#"{"type":"set_audio_config","enabled":false,"source_id":"s","microphone_id":null,"echo_cancellation":false}"#)
        #expect(audio.config.sourceId == "s" && audio.config.microphoneId == nil && !audio.config.agcEnabled && audio.config.agcNoiseGateEnabled)
        // A service from before the two that came later answers without them.
        let reply: AudioConfig = try decode(#"{"type":"audio_config","enabled":false,"echo_cancellation":false}"#)
        #expect(!reply.enabled && reply.sourceId == nil && !reply.agcEnabled && reply.agcNoiseGateEnabled)
        let transcription: SetTranscriptionConfig = try decode(#"{"type":"set_transcription_config","enabled":true}"#)
        #expect(transcription.modelPath == nil)
    }

    @Test(arguments: [
        (#"{"type":"start_window_capture"}"#, "window_handle is missing"),
        (#"{"type":"start_window_capture","windowHandle":1}"#, "window_handle is missing"),
        (#"{"type":"start_window_capture","window_handle":null}"#, "window_handle is null"),
        (#"{"type":"start_window_capture","window_handle":"1"}"#, "window_handle is of a wrong type"),
        (#"{"type":"start_window_capture","window_handle":[1]}"#, "window_handle is of a wrong type"),
        (#"{"type":"start_window_capture","window_handle":1.5}"#, "a number does not fit"),
        (#"{"type":"start_window_capture","window_handle":9223372036854775808}"#, "a number does not fit"),
        (#"{"type":"start_window_capture","window_handle":-1}"#, "Invalid window handle: -1"),
        (#"{"type":"start_window_capture","window_handle":true}"#, "window_handle is of a wrong type"),
        (#"{"type":"ping"}"#, "a message of type ping where start_window_capture is due"),
    ])
    func `a request that is none is refused with the member that is to blame`(text: String, reason: String) throws {
        let error = #expect(throws: CallError.self) { try StartWindowCapture(checking: Array(text.utf8)) }
        #expect(error?.sentence == "Invalid request: \(reason)")
    }

    @Test(arguments: ["1", "1.0", "1e0", "10e-1"]) func `a whole number may be written in any way that JSON has`(number: String) throws {
        let text = #"{"type":"start_window_capture","window_handle":\#(number)}"#
        #expect(try StartWindowCapture(checking: Array(text.utf8)) == StartWindowCapture(windowHandle: 1))
    }

    @Test func `a sign where none may be is refused`() {
        let text = #"{"type":"start_display_capture","monitor_id":"a","width":-1,"height":1}"#
        let error = #expect(throws: CallError.self) { try StartDisplayCapture(checking: Array(text.utf8)) }
        #expect(error?.sentence == "Invalid request: a number does not fit")
    }

    @Test func `a reply of another type is not taken for the one that is due`() {
        for (reply, text) in Self.replies where !(reply is OK) {
            #expect(throws: UnexpectedType.self) { try OK(decoding: Array(text.utf8).span.bytes) }
        }
        #expect(throws: UnexpectedType.self) { try CurrentSelection(decoding: Array(#"{"type":"ok"}"#.utf8).span.bytes) }
        #expect(throws: UnexpectedType.self) { try TokenVerdict(decoding: Array(#"{"type":"ok"}"#.utf8).span.bytes) }
        #expect(throws: UnexpectedType.self) { try RecorderEvent(decoding: Array(#"{"type":"ok"}"#.utf8).span.bytes) }
    }

    @Test(arguments: [
        ("MP4", OutputFormatName.mp4), ("mov", .quicktime), ("Apng", .animatedpng), ("webp", .animatedwebp), ("animatedwebp", .animatedwebp), ("gif", .gif),
    ])
    func `formats have other names, in any case`(text: String, format: OutputFormatName) { #expect(OutputFormatName(reading: text) == format) }

    @Test func `nothing is wrong with what the fuzzer left behind of messages`() throws {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../../../Fuzz/Corpus/recorder-messages")
        let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        #expect(files.count > 50)
        for file in files { #expect(MessageLaw.problem(with: [UInt8](try Data(contentsOf: file))) == nil, "\(file.lastPathComponent)") }
    }

    /// What the fuzzer of the machine does for frames: requests with a few bytes changed are read or refused, and whatever is read is written and read again as the same.
    @Test func `20,000 mutations of requests are read or refused, and nothing traps`() throws {
        var random = Mutations(seed: 64)
        var (read, refused) = (0, 0)
        for round in 0..<20_000 {
            let (request, text) = Self.requests[round % Self.requests.count]
            var bytes = Array(text.utf8)
            for _ in 0..<Int.random(in: 1...3, using: &random) { random.mutate(&bytes) }
            if try Self.isStable(request, bytes) { read += 1 } else { refused += 1 }
        }
        #expect(read > 100 && refused > 10_000)
    }

    /// Whether the bytes are a request of the same kind as `sample`.
    private static func isStable<R: RecorderRequest>(_ sample: R, _ bytes: [UInt8]) throws -> Bool {
        let request: R
        do throws(CallError) {
            request = try R(checking: bytes)
        } catch {
            #expect(error.sentence.hasPrefix("Invalid request: "))
            return false
        }
        #expect(try R(checking: try request.encoded()) == request)
        return true
    }
}

/// Random numbers that are the same each time, and what they do to a text.
private struct Mutations: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return value ^ value >> 31
    }

    mutating func mutate(_ bytes: inout [UInt8]) {
        let place = Int.random(in: 0..<bytes.count, using: &self)
        switch UInt8.random(in: 0...3, using: &self) {
        case 0: bytes[place] = UInt8.random(in: .min ... .max, using: &self)
        case 1: bytes.insert(Array("0123456789-.eE\"{}[]:,tnu\\".utf8).randomElement(using: &self) ?? 0, at: place)
        case 2: if bytes.count > 1 { bytes.remove(at: place) }
        default: bytes[place] = UInt8.random(in: 0x20...0x7E, using: &self)
        }
    }
}
