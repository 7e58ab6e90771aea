// What the service says unasked. There are two shapes: flat, `{"type":"event","event":"state_changed","state":"recording"}`, as the specification has it and the default here, and nested,
// `{"type":"event","event":{"event":"state_changed","state":"recording"}}`, as programs of the first implementation write it. Both are read.

public import Ginnel

public enum EventShape: String, Sendable, CaseIterable {
    case flat
    case nested
}

public enum RecorderEvent: Sendable, Equatable {
    case stateChanged(RecordingPhase)
    case elapsedTime(seconds: UInt64)
    case transcodingStarted(format: String)
    case transcodingComplete(success: Bool, path: String?)
    case transcriptionSegment(TranscriptionSegment)
    case shutdown
}

extension RecorderEvent: Event {
    /// The `type` of every event.
    public static var name: String { "event" }

    public func encoded() throws -> [UInt8] { try ShapedEvent(self, as: .flat).encoded() }

    public init(decoding bytes: borrowing RawSpan) throws { self = try ShapedEvent(decoding: bytes).event }
}

extension RecorderEvent: Codable {
    private enum CodingKeys: String, CodingKey {
        case event, state, seconds, format, success, path, timestampSecs, text
    }

    private enum Kind: String, Codable {
        case stateChanged = "state_changed"
        case elapsedTime = "elapsed_time"
        case transcodingStarted = "transcoding_started"
        case transcodingComplete = "transcoding_complete"
        case transcriptionSegment = "transcription_segment"
        case shutdown
    }

    public init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: CodingKeys.self)
        self =
            switch try members.decode(Kind.self, forKey: .event) {
            case .stateChanged: .stateChanged(try members.decode(RecordingPhase.self, forKey: .state))
            case .elapsedTime: .elapsedTime(seconds: try members.decode(UInt64.self, forKey: .seconds))
            case .transcodingStarted: .transcodingStarted(format: try members.decode(String.self, forKey: .format))
            case .transcodingComplete:
                .transcodingComplete(success: try members.decode(Bool.self, forKey: .success), path: try members.decodeIfPresent(String.self, forKey: .path))
            case .transcriptionSegment: .transcriptionSegment(try TranscriptionSegment(from: decoder))
            case .shutdown: .shutdown
            }
    }

    public func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: CodingKeys.self)
        func say(_ kind: Kind) throws { try members.encode(kind, forKey: .event) }
        switch self {
        case .stateChanged(let state):
            try say(.stateChanged)
            try members.encode(state, forKey: .state)
        case .elapsedTime(let seconds):
            try say(.elapsedTime)
            try members.encode(seconds, forKey: .seconds)
        case .transcodingStarted(let format):
            try say(.transcodingStarted)
            try members.encode(format, forKey: .format)
        case .transcodingComplete(let success, let path):
            try say(.transcodingComplete)
            try members.encode(success, forKey: .success)
            // Absent is written as null.
            try members.encode(path, forKey: .path)
        case .transcriptionSegment(let segment):
            try say(.transcriptionSegment)
            try members.encode(segment.timestampSecs, forKey: .timestampSecs)
            try members.encode(segment.text, forKey: .text)
        case .shutdown: try say(.shutdown)
        }
    }
}

/// An event in a shape of the sender's choice.
public struct ShapedEvent: Event, Equatable {
    public static var name: String { RecorderEvent.name }
    public let event: RecorderEvent
    public let shape: EventShape

    private enum CodingKeys: String, CodingKey { case event }

    public init(_ event: RecorderEvent, as shape: EventShape) { (self.event, self.shape) = (event, shape) }

    public func encoded() throws -> [UInt8] { try RecorderJSON.object(type: Self.name, members: self) }

    public init(decoding bytes: borrowing RawSpan) throws {
        let data = bytes.data
        try RecorderJSON.require(Self.name, in: data)
        self = try RecorderJSON.decode(Self.self, from: data)
    }

    public init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: CodingKeys.self)
        shape = (try? members.decode(String.self, forKey: .event)) == nil ? .nested : .flat
        event = shape == .flat ? try RecorderEvent(from: decoder) : try members.decode(RecorderEvent.self, forKey: .event)
    }

    public func encode(to encoder: any Encoder) throws {
        guard shape == .nested else { return try event.encode(to: encoder) }
        var members = encoder.container(keyedBy: CodingKeys.self)
        try members.encode(event, forKey: .event)
    }
}
