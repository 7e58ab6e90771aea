// How one side of a bare stream gets its messages in and out of the ring. Each side owns its bytes, as with the floor: they are copied in, and copied out before anybody judges them.
//
// "stream" copies straight between the ring and memory that is used again and again, which is what the floor does. "arrays" is the convenient way, `send` and `receive`, where each message
// received is a new array.

import Ginnel

/// A message that was received, or is to be sent, in memory that is used again.
struct Message {
    fileprivate var bytes: [UInt8]
    fileprivate(set) var count: Int

    init(_ count: Int) {
        bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 * 31 + 7) }
        self.count = count
    }

    /// The longest there is.
    static var room: Message { Message(65_536) }

    /// What its first eight bytes say.
    var number: UInt64 {
        get { bytes.withUnsafeBytes { $0.loadUnaligned(as: UInt64.self) } }
        set { bytes.withUnsafeMutableBytes { $0.storeBytes(of: newValue, as: UInt64.self) } }
    }

    func isEqual(to other: Message) -> Bool { bytes[..<count] == other.bytes[..<other.count] }
}

struct StreamEnd {
    let stream: SharedMemoryStream
    /// With arrays, or straight.
    private let usesArrays: Bool

    init(_ stream: SharedMemoryStream, _ options: Options) {
        self.stream = stream
        usesArrays = options.variant == "arrays"
    }

    func send(_ message: Message) async throws {
        let count = message.count
        if usesArrays { return try await stream.send(message.bytes) }
        try await stream.reserve(count) { room in
            message.bytes.withUnsafeBytes { bytes in
                room.withUnsafeMutableBytes { room, written in
                    room.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[..<count]))
                    written = count
                }
            }
        }
    }

    /// False at the end of the stream.
    func receive(into message: inout Message) async throws -> Bool {
        if usesArrays {
            guard let bytes = try await stream.receive() else { return false }
            message.bytes = bytes
            message.count = bytes.count
            return try check(message)
        }
        let count = try await stream.withNextMessage { record in
            let count = min(record.byteCount, message.bytes.count)
            message.bytes.withUnsafeMutableBytes { room in record.withUnsafeBytes { room.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[..<count])) } }
            return count
        }
        guard let count else { return false }
        message.count = count
        return try check(message)
    }

    private func check(_ message: Message) throws -> Bool {
        guard message.count >= 8 else { throw Wrong(description: "a message of \(message.count) bytes, too short for a number") }
        return true
    }
}

extension Options {
    /// What both sides of a bare stream are made with. A straight copy needs the ring's own memory.
    var stream: SharedMemoryStreamOptions {
        var stream = SharedMemoryStreamOptions()
        stream.polling = polling
        stream.trustedPeer = true
        return stream
    }
}
