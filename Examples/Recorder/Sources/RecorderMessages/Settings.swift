// What is to come of a recording: its format, its sound, its text.

import Ginnel

public enum OutputFormatName: String, Codable, Sendable, CaseIterable {
    case mp4
    case webm
    case mkv
    case quicktime
    case gif
    case animatedpng
    case animatedwebp

    /// Reads a name in any case, and the other names that some formats have.
    public init?(reading text: String) {
        switch text.lowercased() {
        case "mov": self = .quicktime
        case "apng": self = .animatedpng
        case "webp": self = .animatedwebp
        case let name: self.init(rawValue: name)
        }
    }
}

public struct OutputFormat: Tagged {
    public static let type = "output_format"
    public var format: OutputFormatName
    public init(format: OutputFormatName) { self.format = format }
}

public struct GetOutputFormat: RecorderRequest {
    public typealias Response = OutputFormat
    public static let method = "get_output_format"
    public init() {}
}

public struct SetOutputFormat: RecorderRequest {
    public typealias Response = OK
    public static let method = "set_output_format"
    /// As `OutputFormatName(reading:)` takes it.
    public var format: String
    public init(format: String) { self.format = format }
}

public struct AudioConfig: Tagged {
    public static let type = "audio_config"
    public var enabled = true
    public var sourceId: String?
    public var microphoneId: String?
    public var echoCancellation = true
    public var agcEnabled = false
    public var agcNoiseGateEnabled = true
    public init() {}

    fileprivate enum CodingKeys: String, CodingKey {
        case enabled, sourceId, microphoneId, echoCancellation, agcEnabled, agcNoiseGateEnabled
    }

    /// The two that came later may be missing.
    public init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: CodingKeys.self)
        enabled = try members.decode(Bool.self, forKey: .enabled)
        sourceId = try members.decodeIfPresent(String.self, forKey: .sourceId)
        microphoneId = try members.decodeIfPresent(String.self, forKey: .microphoneId)
        echoCancellation = try members.decode(Bool.self, forKey: .echoCancellation)
        agcEnabled = try members.decodeIfPresent(Bool.self, forKey: .agcEnabled) ?? false
        agcNoiseGateEnabled = try members.decodeIfPresent(Bool.self, forKey: .agcNoiseGateEnabled) ?? true
    }
}

public struct GetAudioConfig: RecorderRequest {
    public typealias Response = AudioConfig
    public static let method = "get_audio_config"
    public init() {}
}

public struct SetAudioConfig: RecorderRequest {
    public typealias Response = OK
    public static let method = "set_audio_config"
    public var config: AudioConfig
    public init(_ config: AudioConfig) { self.config = config }

    public init(from decoder: any Decoder) throws { config = try AudioConfig(from: decoder) }

    /// Here an id that is none is `null`, where the reply leaves it out.
    public func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: AudioConfig.CodingKeys.self)
        try members.encode(config.enabled, forKey: .enabled)
        try members.encode(config.sourceId, forKey: .sourceId)
        try members.encode(config.microphoneId, forKey: .microphoneId)
        try members.encode(config.echoCancellation, forKey: .echoCancellation)
        try members.encode(config.agcEnabled, forKey: .agcEnabled)
        try members.encode(config.agcNoiseGateEnabled, forKey: .agcNoiseGateEnabled)
    }

    public func check() throws(InvalidRequest) {
        if let id = config.sourceId { try Rules.check(source: id) }
        if let id = config.microphoneId { try Rules.check(source: id) }
    }
}

// MARK: Transcription

public struct TranscriptionConfig: Tagged {
    public static let type = "transcription_config"
    public var enabled: Bool
    public var modelPath: String?
    public init(enabled: Bool, modelPath: String? = nil) { (self.enabled, self.modelPath) = (enabled, modelPath) }
}

public struct GetTranscriptionConfig: RecorderRequest {
    public typealias Response = TranscriptionConfig
    public static let method = "get_transcription_config"
    public init() {}
}

public struct SetTranscriptionConfig: RecorderRequest {
    public typealias Response = OK
    public static let method = "set_transcription_config"
    public var enabled: Bool
    public var modelPath: String?
    public init(enabled: Bool, modelPath: String? = nil) { (self.enabled, self.modelPath) = (enabled, modelPath) }
}

public struct TranscriptionStatus: Tagged {
    public static let type = "transcription_status"
    public var modelLoaded: Bool
    public var active: Bool
    public var segmentsProcessed: UInt32
    public var queueDepth: UInt32
    public var error: String?

    public init(modelLoaded: Bool, active: Bool, segmentsProcessed: UInt32, queueDepth: UInt32, error: String? = nil) {
        (self.modelLoaded, self.active, self.segmentsProcessed) = (modelLoaded, active, segmentsProcessed)
        (self.queueDepth, self.error) = (queueDepth, error)
    }
}

public struct GetTranscriptionStatus: RecorderRequest {
    public typealias Response = TranscriptionStatus
    public static let method = "get_transcription_status"
    public init() {}
}

public struct TranscriptionSegment: Codable, Sendable, Equatable {
    /// Seconds since the recording began.
    public var timestampSecs: Double
    public var text: String
    public init(timestampSecs: Double, text: String) { (self.timestampSecs, self.text) = (timestampSecs, text) }
}

public struct TranscriptionSegments: Tagged {
    public static let type = "transcription_segments"
    public var segments: [TranscriptionSegment]
    /// Of all, those before `sinceIndex` too.
    public var totalCount: UInt32
    public init(segments: [TranscriptionSegment], totalCount: UInt32) { (self.segments, self.totalCount) = (segments, totalCount) }
}

public struct GetTranscriptionSegments: RecorderRequest {
    public typealias Response = TranscriptionSegments
    public static let method = "get_transcription_segments"
    public var sinceIndex: UInt32
    public init(sinceIndex: UInt32) { self.sinceIndex = sinceIndex }
}
