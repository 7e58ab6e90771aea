// Beginning and ending a recording, and how it stands.

import Ginnel

public enum RecordingPhase: String, Codable, Sendable {
    case idle
    case recording
    case saving
}

public struct RecordingStarted: Tagged {
    public static let type = "recording_started"
    public init() {}
}

public struct RecordingStopped: Tagged {
    public static let type = "recording_stopped"
    /// Where the recording will be in the output format; `transcoding_complete` says when.
    public var filePath: String
    /// What was recorded, as it was recorded.
    public var sourcePath: String
    public init(filePath: String, sourcePath: String) { (self.filePath, self.sourcePath) = (filePath, sourcePath) }
}

public struct RecordingState: Tagged {
    public static let type = "recording_state"
    public var state: RecordingPhase
    public init(state: RecordingPhase) { self.state = state }
}

public struct ElapsedTime: Tagged {
    public static let type = "elapsed_time"
    /// Whole seconds; 0 when nothing is being recorded.
    public var seconds: UInt64
    public init(seconds: UInt64) { self.seconds = seconds }
}

public struct StartWindowCapture: RecorderRequest {
    public typealias Response = RecordingStarted
    public static let method = "start_window_capture"
    public var windowHandle: Int64
    public init(windowHandle: Int64) { self.windowHandle = windowHandle }
    public func check() throws(InvalidRequest) { try Rules.check(window: windowHandle) }
}

public struct StartDisplayCapture: RecorderRequest {
    public typealias Response = RecordingStarted
    public static let method = "start_display_capture"
    public var monitorId: String
    public var width: UInt32
    public var height: UInt32
    public init(monitorId: String, width: UInt32, height: UInt32) { (self.monitorId, self.width, self.height) = (monitorId, width, height) }

    public func check() throws(InvalidRequest) {
        try Rules.check(monitor: monitorId)
        try Rules.check(width: width, height: height)
    }
}

public struct StartRegionCapture: RecorderRequest {
    public typealias Response = RecordingStarted
    public static let method = "start_region_capture"
    public var monitorId: String
    /// Counted from the monitor's corner.
    public var x: Int32
    public var y: Int32
    public var width: UInt32
    public var height: UInt32

    public init(monitorId: String, x: Int32, y: Int32, width: UInt32, height: UInt32) {
        (self.monitorId, self.x, self.y, self.width, self.height) = (monitorId, x, y, width, height)
    }

    public func check() throws(InvalidRequest) {
        try Rules.check(monitor: monitorId)
        try Rules.check(x: x, y: y)
        try Rules.check(width: width, height: height)
    }
}

/// Records what was selected last.
public struct StartPortalCapture: RecorderRequest {
    public typealias Response = RecordingStarted
    public static let method = "start_portal_capture"
    public init() {}
}

public struct StopRecording: RecorderRequest {
    public typealias Response = RecordingStopped
    public static let method = "stop_recording"
    public init() {}
}

public struct GetRecordingState: RecorderRequest {
    public typealias Response = RecordingState
    public static let method = "get_recording_state"
    public init() {}
}

public struct GetElapsedTime: RecorderRequest {
    public typealias Response = ElapsedTime
    public static let method = "get_elapsed_time"
    public init() {}
}
