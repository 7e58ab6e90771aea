// One message that waits to be sent, whole or in part.

struct OutgoingMessage: Sendable {
    /// What stands before the payload. Kept as values and written with the first frame, so that it needs no memory of its own.
    enum Prefix: Sendable {
        case none
        case request(method: String, timeLeft: UInt64, trace: TraceContext?)
        case event(name: String)
        case message(id: UInt64, floor: UInt64, name: String, redelivered: Bool)

        var byteCount: Int {
            switch self {
            case .none: 0
            case .request(let method, _, let trace): 12 + method.utf8.count + (trace?.fieldBytes ?? 0)
            case .event(let name): 6 + name.utf8.count
            case .message(_, _, let name, _): MessageHead.size + name.utf8.count
            }
        }

        func write(to output: inout OutputBuffer, missed: UInt32) {
            switch self {
            case .none: break
            case .request(let method, let timeLeft, let trace):
                output.append(littleEndian: timeLeft)
                output.append(littleEndian: UInt16(truncatingIfNeeded: method.utf8.count))
                output.append(littleEndian: UInt16(truncatingIfNeeded: trace?.fieldBytes ?? 0))
                output.append(method.utf8)
                trace?.write(to: &output)
            case .event(let name):
                output.append(littleEndian: missed)
                output.append(littleEndian: UInt16(truncatingIfNeeded: name.utf8.count))
                output.append(name.utf8)
            case .message(let id, let floor, let name, let redelivered):
                output.append(littleEndian: id)
                output.append(littleEndian: floor)
                output.append(littleEndian: UInt16(truncatingIfNeeded: name.utf8.count))
                output.append(littleEndian: UInt16(redelivered ? MessageHead.redelivered : 0))
                output.append(name.utf8)
            }
        }
    }

    var kind: FrameKind
    var flags: FrameFlags
    var lane: Lane
    var stream: UInt32
    var prefix: Prefix
    var payload: [UInt8]
    /// Bytes that the payload had before it was compressed; `nil` when it was not.
    var expandedPayload: Int?
    /// Bytes of `payload` that are on their way.
    var sent = 0
    var started = false

    init(_ kind: FrameKind, codec: Codec = .raw, lane: Lane, stream: UInt32, prefix: Prefix = .none, payload: [UInt8] = []) {
        self.kind = kind
        flags = FrameFlags(codec: codec)
        self.lane = lane
        self.stream = stream
        self.prefix = prefix
        self.payload = payload
    }

    /// Messages of one sequence leave one after the other: those of a call, and those of a lane that are delivered.
    var sequence: UInt64 { stream != 0 ? UInt64(stream) : 1 << 32 | UInt64(lane.rawValue) }
    /// Length of the whole message as it leaves.
    var byteCount: Int { headBytes + payload.count }
    /// Length of the whole message when it is not compressed, which is what it counts as.
    var charge: Int { prefix.byteCount + (expandedPayload ?? payload.count) }
    /// What stands before the payload.
    private var headBytes: Int { prefix.byteCount + (expandedPayload == nil ? 0 : NativeSession.expandedLengthBytes) }
    var isChunked: Bool { byteCount > FrameHeader.maximumPayload }

    /// Bytes that are still to come, headers not counted.
    var remaining: Int { (started ? 0 : headBytes) + payload.count - sent }

    /// Appends the next frame; true when it was the last of this message.
    mutating func writeFrame(to output: inout OutputBuffer, missed: UInt32, sealed: Bool) -> Bool {
        let room = FrameHeader.maximumPayload - (started ? 0 : headBytes) - (!started && isChunked ? 4 : 0)
        let part = min(room, payload.count - sent)
        let isLast = sent + part == payload.count
        var header = FrameHeader(length: 0, kind: kind, flags: flags, lane: lane, stream: stream)
        if !isLast { header.flags.insert(.more) }
        if started { header.flags.insert(.continued) }
        header.length = FrameHeader.maximumPayload - room + part
        let start = output.count
        output.reserve(FrameHeader.size + header.length)
        header.write(to: &output)
        if !started {
            if isChunked { output.append(littleEndian: UInt32(truncatingIfNeeded: byteCount)) }
            if expandedPayload != nil { output.append(littleEndian: UInt32(truncatingIfNeeded: charge)) }
            prefix.write(to: &output, missed: missed)
        }
        output.append(payload, sent..<sent + part)
        FrameHeader.seal(&output, from: start, sealed: sealed)
        sent += part
        started = true
        return isLast
    }
}
