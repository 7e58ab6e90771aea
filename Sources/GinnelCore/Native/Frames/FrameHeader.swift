// The 16-byte header of every frame (docs/protocol.md §2).

package enum FrameKind: UInt8, Sendable {
    case hello = 1
    case welcome = 2
    case reject = 3
    case request = 4
    case response = 5
    case failure = 6
    case event = 7
    case acknowledge = 8
    case item = 9
    case end = 10
    case credit = 11
    case cancel = 12
    case ping = 13
    case pong = 14
    case goodbye = 15
    case upgrade = 16
    case message = 18

    /// Kinds from here on may be skipped by who does not know them.
    static let firstExtension: UInt8 = 128

    /// Whether its messages may travel in several frames.
    var isChunkable: Bool {
        switch self {
        case .request, .response, .failure, .event, .item, .message: true
        default: false
        }
    }

    /// Whether the payload of its messages may be compressed.
    var isCompressible: Bool { isChunkable && self != .failure }

    /// Whether its messages end their call.
    var isFinal: Bool { self == .response || self == .failure }

    /// Whether it is a violation where delivery is not in force.
    var needsDelivery: Bool { self == .message || self == .acknowledge }

    /// Whether its frames belong to the connection and not to a call.
    var belongsToConnection: Bool {
        switch self {
        case .hello, .welcome, .reject, .event, .acknowledge, .ping, .pong, .goodbye, .upgrade, .message: true
        default: false
        }
    }
}

package struct FrameFlags: OptionSet, Sendable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }

    static let more = FrameFlags(rawValue: 1)
    static let continued = FrameFlags(rawValue: 2)
    static let itemsFollow = FrameFlags(rawValue: 4)
    static let compressed = FrameFlags(rawValue: 8)

    init(codec: Codec) { rawValue = codec.rawValue << 4 }
    var codec: Codec { Codec(rawValue: rawValue >> 4) }
}

package struct FrameHeader: Sendable {
    static let size = 16
    /// Bytes of payload that one frame may hold.
    static let maximumPayload = 65_536
    static let checksumOffset = 12

    var length: Int
    var kind: UInt8
    var flags: FrameFlags
    var lane: UInt8
    var handles: UInt8
    var stream: UInt32
    var checksum: UInt32

    init(length: Int, kind: FrameKind, flags: FrameFlags = [], lane: Lane = .control, stream: UInt32 = 0, handles: UInt8 = 0) {
        self.length = length
        self.kind = kind.rawValue
        self.flags = flags
        self.lane = lane.rawValue
        self.handles = handles
        self.stream = stream
        checksum = 0
    }

    /// Reads the header at `offset`; 16 bytes must be there. Checks nothing.
    init(_ input: borrowing RawSpan, at offset: Int) {
        length = Int(input.u32(at: offset))
        kind = input.byte(at: offset + 4)
        flags = FrameFlags(rawValue: input.byte(at: offset + 5))
        lane = input.byte(at: offset + 6)
        handles = input.byte(at: offset + 7)
        stream = input.u32(at: offset + 8)
        checksum = input.u32(at: offset + 12)
    }

    func write(to output: inout OutputBuffer) {
        let first =
            UInt64(UInt32(truncatingIfNeeded: length)) | UInt64(kind) << 32 | UInt64(flags.rawValue) << 40
            | UInt64(lane) << 48 | UInt64(handles) << 56
        output.append(littleEndian: first)
        output.append(littleEndian: UInt64(stream) | UInt64(checksum) << 32)
    }
}
