// Frames of the native protocol, written and read from docs/protocol.md alone and not with the code that is tested: for peers made by hand, and for looking
// at what a machine has said.

import GinnelCore

package struct WireFrame: Equatable, Sendable {
    package enum Kind {
        package static let hello: UInt8 = 1, welcome: UInt8 = 2, reject: UInt8 = 3, request: UInt8 = 4, response: UInt8 = 5, failure: UInt8 = 6
        package static let event: UInt8 = 7, acknowledge: UInt8 = 8, item: UInt8 = 9, end: UInt8 = 10, credit: UInt8 = 11, cancel: UInt8 = 12
        package static let ping: UInt8 = 13, pong: UInt8 = 14, goodbye: UInt8 = 15, upgrade: UInt8 = 16, message: UInt8 = 18
    }

    package static let more: UInt8 = 1, continued: UInt8 = 2, itemsFollow: UInt8 = 4
    package static let preamble: [UInt8] = [0x47, 0x49, 0x4E, 0x4E, 0x45, 0x4C, 1, 0]

    package var kind: UInt8
    package var flags: UInt8
    package var lane: UInt8
    package var handles: UInt8 = 0
    package var stream: UInt32
    package var checksum: UInt32 = 0
    package var payload: [UInt8]

    package init(_ kind: UInt8, stream: UInt32 = 0, flags: UInt8 = 0, lane: UInt8 = 0, _ payload: [UInt8] = []) {
        self.kind = kind
        self.flags = flags
        self.lane = lane
        self.stream = stream
        self.payload = payload
    }

    package var header: [UInt8] {
        Self.u32(UInt32(payload.count)) + [kind, flags, lane, handles] + Self.u32(stream) + Self.u32(checksum)
    }

    package var encoded: [UInt8] { header + payload }

    /// The same with the checksum of its bytes, by the table and not by the instructions.
    package var sealed: WireFrame {
        var frame = self
        frame.checksum = 0
        let bytes = frame.encoded
        frame.checksum = Checksum.castagnoli.valueByTable(of: bytes.span.bytes)
        return frame
    }

    /// Reads the first frame; `nil` while it is incomplete.
    package init?(reading bytes: ArraySlice<UInt8>) {
        guard bytes.count >= 16 else { return nil }
        let at = bytes.startIndex
        let length = Int(Self.u32(bytes[at..<at + 4]))
        guard bytes.count >= 16 + length else { return nil }
        self.init(
            bytes[at + 4], stream: Self.u32(bytes[(at + 8)..<(at + 12)]), flags: bytes[at + 5], lane: bytes[at + 6],
            Array(bytes[(at + 16)..<(at + 16 + length)]))
        handles = bytes[at + 7]
        checksum = Self.u32(bytes[(at + 12)..<(at + 16)])
    }

    /// All whole frames in `bytes`, after the preamble if there is one.
    package static func all(in bytes: [UInt8]) -> [WireFrame] {
        var rest = bytes.starts(with: preamble) ? bytes.dropFirst(preamble.count) : bytes[...]
        var frames: [WireFrame] = []
        while let frame = WireFrame(reading: rest) {
            frames.append(frame)
            rest = rest.dropFirst(16 + frame.payload.count)
        }
        return frames
    }

    // MARK: Bodies

    package static func u16(_ value: UInt16) -> [UInt8] { [UInt8(truncatingIfNeeded: value), UInt8(value >> 8)] }
    package static func u32(_ value: UInt32) -> [UInt8] { u16(UInt16(truncatingIfNeeded: value)) + u16(UInt16(value >> 16)) }
    package static func u64(_ value: UInt64) -> [UInt8] { u32(UInt32(truncatingIfNeeded: value)) + u32(UInt32(value >> 32)) }
    package static func u32(_ bytes: some Collection<UInt8>) -> UInt32 { bytes.reversed().reduce(0) { $0 << 8 | UInt32($1) } }

    package static func failureBody(_ code: UInt32, _ sentence: String = "", details: [UInt8] = []) -> [UInt8] {
        u32(code) + u16(UInt16(sentence.utf8.count)) + Array(sentence.utf8) + details
    }

    package static func requestBody(_ method: String, _ payload: [UInt8] = [], timeLeft: UInt64 = .max, fields: [UInt8] = []) -> [UInt8] {
        u64(timeLeft) + u16(UInt16(method.utf8.count)) + u16(UInt16(fields.count)) + Array(method.utf8) + fields + payload
    }

    package static func eventBody(_ name: String, _ payload: [UInt8] = [], missed: UInt32 = 0) -> [UInt8] {
        u32(missed) + u16(UInt16(name.utf8.count)) + Array(name.utf8) + payload
    }

    /// `floor`: the id itself unless told otherwise.
    package static func messageBody(_ id: UInt64, floor: UInt64? = nil, _ name: String = "m", _ payload: [UInt8] = [], flags: UInt8 = 0, reserved: UInt8 = 0) -> [UInt8] {
        u64(id) + u64(floor ?? id) + u16(UInt16(name.utf8.count)) + [flags, reserved] + Array(name.utf8) + payload
    }

    /// One record of an acknowledgement; a code of 0 says that the message was taken.
    package static func acknowledgement(_ id: UInt64, _ code: UInt32 = 0) -> [UInt8] { u64(id) + u32(code) }

    package static func field(_ tag: UInt16, _ bytes: [UInt8]) -> [UInt8] { u16(tag) + u16(UInt16(bytes.count)) + bytes }

    /// A word about shared memory: 1 offer, 2 accept, 3 refuse, 4 switch (docs/shared-memory.md §4). `says` is how many descriptors the body claims.
    package static func upgrade(_ verb: UInt8, handles: UInt8 = 0, says: UInt8? = nil, value: UInt32 = 0) -> WireFrame {
        var frame = WireFrame(Kind.upgrade, [verb, 1, says ?? handles, 0] + u32(value) + u64(0))
        frame.handles = handles
        return frame
    }

    /// The code that a failure body begins with.
    package var failureCode: UInt32? { payload.count >= 6 ? Self.u32(payload[..<4]) : nil }
}
