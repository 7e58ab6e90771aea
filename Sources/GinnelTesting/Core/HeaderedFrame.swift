// Messages of the headered format, written and read from docs/formats/headered.md alone and not with the code that is tested.

package struct HeaderedFrame: Equatable, Sendable {
    package enum Kind {
        package static let completionRequest: UInt16 = 1, completionResponse: UInt16 = 2, streamChunk: UInt16 = 3, error: UInt16 = 4, heartbeat: UInt16 = 5
        package static let handshake: UInt16 = 0x10, handshakeAck: UInt16 = 0x11, disconnect: UInt16 = 0x12
        package static let askRequest: UInt16 = 0x100, askResponse: UInt16 = 0x101, editRequest: UInt16 = 0x102, editResponse: UInt16 = 0x103
        package static let chatMessage: UInt16 = 0x104, toolCall: UInt16 = 0x105, toolResult: UInt16 = 0x106, executeTool: UInt16 = 0x107
        package static let toolProgress: UInt16 = 0x108, ack: UInt16 = 0x109
        package static let lspRequest: UInt16 = 0x200, lspResponse: UInt16 = 0x201, lspDiagnostics: UInt16 = 0x203, cancel: UInt16 = 0x205
    }

    package static let streaming: UInt8 = 4, priority: UInt8 = 8

    package var type: UInt16
    package var id: UInt64
    package var flags: UInt8
    package var payload: [UInt8]

    package init(_ type: UInt16, id: UInt64, flags: UInt8 = 0, _ payload: [UInt8] = []) {
        self.type = type
        self.id = id
        self.flags = flags
        self.payload = payload
    }

    package init(_ type: UInt16, id: UInt64, flags: UInt8 = 0, json: String) {
        self.init(type, id: id, flags: flags, Array(json.utf8))
    }

    package static func chunk(_ id: UInt64, _ sequence: UInt32, _ content: String, isFinal: Bool = false, flags: UInt8? = nil) -> HeaderedFrame {
        HeaderedFrame(
            Kind.streamChunk, id: id, flags: flags ?? (isFinal ? 0 : streaming),
            json: #"{"stream_id":\#(id),"sequence":\#(sequence),"content":\#(content),"is_final":\#(isFinal)}"#)
    }

    package static func error(_ id: UInt64, _ code: Int32, _ message: String = "", details: String = "") -> HeaderedFrame {
        HeaderedFrame(Kind.error, id: id, json: #"{"code":\#(code),"message":"\#(message)","details":"\#(details)"}"#)
    }

    package static func cancel(_ id: UInt64) -> HeaderedFrame { HeaderedFrame(Kind.cancel, id: id, json: #"{"request_id":"\#(id)"}"#) }

    /// Header and payload, with their checksum.
    package var encoded: [UInt8] {
        let head: [UInt8] = [0x43, 0x50, 0x41, 0x4C, 1, flags] + WireFrame.u16(type) + WireFrame.u32(UInt32(payload.count)) + WireFrame.u64(id)
        return head + WireFrame.u32(Self.checksum(head + [0, 0, 0, 0] + payload)) + payload
    }

    /// Bit by bit, as the polynomial says.
    private static func checksum(_ bytes: [UInt8]) -> UInt32 {
        var sum: UInt32 = .max
        for byte in bytes {
            sum ^= UInt32(byte)
            for _ in 0..<8 { sum = sum & 1 == 1 ? sum >> 1 ^ 0xEDB8_8320 : sum >> 1 }
        }
        return ~sum
    }

    /// All whole messages in `bytes`; one with another magic, version or checksum ends the list.
    package static func all(in bytes: [UInt8]) -> [HeaderedFrame] {
        var rest = bytes[...]
        var frames: [HeaderedFrame] = []
        while let frame = HeaderedFrame(reading: rest) {
            frames.append(frame)
            rest = rest.dropFirst(24 + frame.payload.count)
        }
        return frames
    }

    package init?(reading bytes: ArraySlice<UInt8>) {
        guard bytes.count >= 24 else { return nil }
        let at = bytes.startIndex
        let length = Int(WireFrame.u32(bytes[at + 8..<at + 12]))
        guard bytes.count >= 24 + length else { return nil }
        let id = UInt64(WireFrame.u32(bytes[at + 12..<at + 16])) | UInt64(WireFrame.u32(bytes[at + 16..<at + 20])) << 32
        self.init(UInt16(bytes[at + 6]) | UInt16(bytes[at + 7]) << 8, id: id, flags: bytes[at + 5], Array(bytes[at + 24..<at + 24 + length]))
        guard encoded == Array(bytes.prefix(24 + length)) else { return nil }
    }

    package var text: String { String(decoding: payload, as: UTF8.self) }
}
