// Control frames that wait to be sent: ready-made bytes in order, taken frame by frame.
//
// How many there are is up to the peer, since each PING asks for a PONG. So they are kept as flat bytes, which cost what they measure, under a limit
// of their own (`controlBytes`), and leave in portions like everything else.

struct ControlQueue: Sendable {
    /// What goes before the first frame: the preamble.
    private var opening: [UInt8] = []
    private var frames = OutputBuffer()

    var isEmpty: Bool { opening.isEmpty && frames.isEmpty }
    var byteCount: Int { opening.count + frames.count }

    var beginsWithHandshake: Bool { frames.withBytes { $0.count >= FrameHeader.size && Self.isHandshake($0[4]) } }
    var beginsWithHandles: Bool { frames.withBytes(Self.boundary) == .carriesHandles }

    mutating func append(opening bytes: [UInt8]) { opening += bytes }

    mutating func append(_ kind: FrameKind, stream: UInt32, handles: UInt8, payload: [UInt8], sealed: Bool) {
        let start = frames.count
        FrameHeader(length: payload.count, kind: kind, stream: stream, handles: handles).write(to: &frames)
        frames.append(payload)
        FrameHeader.seal(&frames, from: start, sealed: sealed)
    }

    /// Appends the next frame; false when that has to wait until `output` has left.
    mutating func produceFrame(into output: inout OutputBuffer) -> Bool {
        output.append(opening)
        opening = []
        let boundary = frames.withBytes(Self.boundary)
        if boundary == .carriesHandles, !output.isEmpty { return false }
        frames.withBytes { bytes in
            if let length = Self.frameLength(bytes) { output.append(UnsafeRawBufferPointer(rebasing: bytes[..<length])) }
        }
        output.boundary = boundary
        removeFrame()
        return true
    }

    /// Whether the first frame is one of those at which the way of the bytes changes.
    private static func boundary(_ bytes: UnsafeRawBufferPointer) -> OutputBuffer.Boundary? {
        guard bytes.count > FrameHeader.size, bytes[4] == FrameKind.upgrade.rawValue else { return nil }
        switch RingVerb(rawValue: bytes[FrameHeader.size]) {
        case .offer: return .carriesHandles
        case .switch: return .lastOnSocket
        default: return nil
        }
    }

    /// Forgets the frames that are not for the handshake.
    mutating func dropAfterHandshake() {
        var kept = OutputBuffer()
        frames.withBytes { bytes in
            var rest = bytes
            while let length = Self.frameLength(rest), Self.isHandshake(rest[4]) {
                kept.append(UnsafeRawBufferPointer(rebasing: rest[..<length]))
                rest = UnsafeRawBufferPointer(rebasing: rest[length...])
            }
        }
        frames = kept
    }

    private mutating func removeFrame() {
        guard let length = frames.withBytes(Self.frameLength) else { return }
        frames.removeFirst(length)
        frames.trim(to: 1024)
    }

    /// Bytes of the first frame, its header among them; `nil` when there is none.
    private static func frameLength(_ bytes: UnsafeRawBufferPointer) -> Int? {
        guard bytes.count >= FrameHeader.size else { return nil }
        return FrameHeader.size + Int(UInt32(littleEndian: bytes.loadUnaligned(as: UInt32.self)))
    }

    private static func isHandshake(_ kind: UInt8) -> Bool {
        kind == FrameKind.hello.rawValue || kind == FrameKind.welcome.rawValue
    }
}
