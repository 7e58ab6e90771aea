// The recorder: what is being recorded, how it is set up, and who wants to hear of it. Time comes from outside, and nothing happens between two calls: `tick` takes the pictures that are due,
// says what time it is, and saves what was stopped.

import Foundation
import RecorderMessages

actor Recorder {
    let output: OutputDirectory
    let token: ApprovalTokenFile
    private let now: @Sendable () -> Duration

    private var desktop = Desktop()
    private var recording: Recording?
    /// Stopped, and not yet in its final format.
    private var unsaved: Recording?
    private var selected: CaptureSource?
    private(set) var format = OutputFormatName.animatedpng
    private(set) var audio = AudioConfig()
    private var transcription = TranscriptionConfig(enabled: false)
    private var segments: [TranscriptionSegment] = []
    /// Each says whether it wants more.
    private var subscribers: [ObjectIdentifier: @Sendable (RecorderEvent) -> Bool] = [:]

    static let segmentsInOneReply = 400

    /// `now`: how long the desktop has existed.
    init(output: OutputDirectory, token: ApprovalTokenFile, now: @escaping @Sendable () -> Duration) {
        (self.output, self.token, self.now) = (output, token, now)
    }

    /// Does what is due, ten times a second, until the task is cancelled, and ends what is under way then.
    func run() async {
        while !Task.isCancelled {
            tick()
            try? await Task.sleep(for: .seconds(1) / Desktop.framesPerSecond)
        }
        if recording != nil { _ = try? stop() }
        saveWhatIsStopped()
    }

    func tick() {
        if var current = recording {
            do {
                let time = now()
                try current.catchUp(desktop, now: time)
                let seconds = current.seconds(at: time)
                while current.secondsTold < seconds {
                    current.secondsTold += 1
                    tell(of: current.secondsTold)
                }
                recording = current
            } catch {
                // A full disk, for example: what there is so far is saved.
                _ = try? stop()
            }
        }
        saveWhatIsStopped()
    }

    // MARK: Events

    func subscribe(_ id: ObjectIdentifier, _ body: @escaping @Sendable (RecorderEvent) -> Bool) { subscribers[id] = body }

    func emit(_ event: RecorderEvent) { subscribers = subscribers.filter { $0.value(event) } }

    /// The pattern counts the seconds aloud, and that is what there is to transcribe.
    private func tell(of second: UInt64) {
        emit(.elapsedTime(seconds: second))
        guard transcription.enabled else { return }
        let segment = TranscriptionSegment(timestampSecs: Double(second), text: second == 1 ? "one second" : "\(second) seconds")
        segments.append(segment)
        emit(.transcriptionSegment(segment))
    }

    // MARK: Recording

    var phase: RecordingPhase { recording != nil ? .recording : unsaved != nil ? .saving : .idle }
    var elapsed: UInt64 { recording?.seconds(at: now()) ?? 0 }

    func start(window handle: Int64) throws {
        guard Desktop.window(handle) != nil else { throw RecorderError("Window not found") }
        try start(.window(handle))
    }

    func startDisplay(_ id: String, width: UInt32, height: UInt32) throws {
        try start(.display(id, try area(on: id, x: 0, y: 0, width: width, height: height)))
    }

    func startRegion(_ id: String, x: Int32, y: Int32, width: UInt32, height: UInt32) throws {
        try start(.region(id, try area(on: id, x: x, y: y, width: width, height: height)))
    }

    func startSelected() throws {
        guard let selected else { throw RecorderError("Nothing has been selected to record") }
        try start(selected)
    }

    private func start(_ source: CaptureSource) throws {
        switch phase {
        case .idle: break
        case .recording: throw RecorderError("The service is already recording")
        case .saving: throw RecorderError("The last recording is still being saved")
        }
        var new = try Recording(source, name: try output.newRecording(at: Date()), began: now())
        try new.catchUp(desktop, now: now())
        recording = new
        selected = source
        segments = []
        emit(.stateChanged(.recording))
    }

    func stop() throws -> RecordingStopped {
        guard var current = recording else { throw RecorderError("The service is not recording") }
        recording = nil
        unsaved = current
        emit(.stateChanged(.saving))
        try? current.catchUp(desktop, now: now())
        try current.close()
        unsaved = current
        return RecordingStopped(filePath: current.finalPath, sourcePath: current.sourcePath)
    }

    private func saveWhatIsStopped() {
        guard let stopped = unsaved else { return }
        emit(.transcodingStarted(format: format.rawValue))
        let isSaved = (try? Transcoder.animate(stopped.sourcePath, into: stopped.finalPath)) != nil
        unsaved = nil
        emit(.transcodingComplete(success: isSaved, path: isSaved ? stopped.finalPath : nil))
        emit(.stateChanged(.idle))
    }

    // MARK: What there is to see

    var windows: [WindowInfo] { Desktop.windows.map { Desktop.info(of: $0, at: now().frames) } }

    func thumbnail(window handle: Int64) throws -> Thumbnail {
        guard let window = Desktop.window(handle) else { throw RecorderError("Window not found") }
        return Self.thumbnail(desktop.picture(of: window, at: now().frames), width: 320, height: 180)
    }

    func thumbnail(display id: String) throws -> Thumbnail {
        guard let monitor = Desktop.monitor(id) else { throw RecorderError("Monitor not found") }
        return Self.thumbnail(desktop.picture(of: Desktop.area(of: monitor), at: now().frames), width: 320, height: 180)
    }

    func preview(_ id: String, x: Int32, y: Int32, width: UInt32, height: UInt32) throws -> Thumbnail {
        let area = try area(on: id, x: x, y: y, width: width, height: height)
        return Self.thumbnail(desktop.picture(of: area, at: now().frames), width: 400, height: 300)
    }

    private static func thumbnail(_ picture: Picture, width: Int, height: Int) -> Thumbnail {
        let small = picture.fitting(width: width, height: height)
        return Thumbnail(data: Data(JPEG.file(small, quality: 75)), width: UInt32(small.width), height: UInt32(small.height))
    }

    /// A part of a monitor, counted from the desktop's corner. It has to lie on the monitor, which also bounds what is held in memory for it.
    private func area(on id: String, x: Int32, y: Int32, width: UInt32, height: UInt32) throws -> Rectangle {
        guard let monitor = Desktop.monitor(id) else { throw RecorderError("Monitor not found") }
        let whole = Desktop.area(of: monitor)
        let part = Rectangle(x: Int(x), y: Int(y), width: Int(width), height: Int(height)).moved(x: whole.x, y: whole.y)
        guard part.intersection(whole) == part else { throw RecorderError("The region does not lie on monitor \(id), which is \(whole.width) x \(whole.height)") }
        return part
    }

    func highlight(_ area: Rectangle) { desktop.highlight = area }

    func highlight(window handle: Int64) throws {
        guard let window = Desktop.window(handle) else { throw RecorderError("Window not found") }
        desktop.highlight = Desktop.area(of: window, at: now().frames)
    }

    func clearHighlight() { desktop.highlight = nil }

    // MARK: Selection and settings

    var selection: CurrentSelection {
        guard let selected else { return .none }
        let isApproved = token.read() != nil
        switch selected {
        case .window(let handle): return .selection(Selection(sourceType: .window, sourceId: "\(handle)", hasApprovalToken: isApproved))
        case .display(let id, _): return .selection(Selection(sourceType: .monitor, sourceId: id, hasApprovalToken: isApproved))
        case .region(let id, let area):
            let corner = Desktop.monitor(id).map(Desktop.area)
            let geometry = SelectionGeometry(
                x: Int32(area.x - (corner?.x ?? 0)), y: Int32(area.y - (corner?.y ?? 0)), width: UInt32(area.width), height: UInt32(area.height))
            return .selection(Selection(sourceType: .region, sourceId: id, hasApprovalToken: isApproved, geometry: geometry))
        }
    }

    /// Only the format that can be made here is taken.
    func setFormat(_ text: String) throws {
        guard let wanted = OutputFormatName(reading: text) else { throw RecorderError("Unknown output format: \(text.prefix(100))") }
        guard wanted == .animatedpng else { throw RecorderError("Output format \(wanted.rawValue) cannot be encoded here; animatedpng can") }
        format = wanted
    }

    func setAudio(_ config: AudioConfig) { audio = config }

    func setTranscription(_ config: TranscriptionConfig) { transcription = config }

    var transcriptionConfig: TranscriptionConfig { transcription }

    var transcriptionStatus: TranscriptionStatus {
        let heard = recording?.secondsTold ?? 0
        return TranscriptionStatus(
            modelLoaded: transcription.enabled, active: transcription.enabled && recording != nil, segmentsProcessed: UInt32(clamping: segments.count),
            queueDepth: transcription.enabled ? UInt32(clamping: elapsed - min(elapsed, heard)) : 0)
    }

    /// As many as fit into one reply; the next index asks for the rest.
    func transcript(since index: UInt32) -> TranscriptionSegments {
        TranscriptionSegments(segments: Array(segments.dropFirst(Int(index)).prefix(Self.segmentsInOneReply)), totalCount: UInt32(clamping: segments.count))
    }
}
