// The last that is said on the socket of a bare stream: whoever ends it in order says so, so that the peer can tell that from a process that died
// (docs/shared-memory.md §4).

internal import GinnelCore

/// The farewell as it comes in, byte for byte. On the loop.
struct Farewell {
    static let bytes = RingMessage(.end).encoded

    /// The stream is a bare one; of others there is no farewell on the socket.
    var isDue = false
    private var heard = 0

    var isWhole: Bool { heard == Self.bytes.count }

    /// Takes what came on the socket: the farewell and, where bells ring through the socket, zeros before it and after. False for anything else.
    mutating func take(_ bytes: Slice<UnsafeMutableRawBufferPointer>, bellsRing: Bool) -> Bool {
        for byte in bytes {
            if isDue, heard < Self.bytes.count, byte == Self.bytes[heard] {
                heard += 1
            } else {
                guard bellsRing, heard == 0 || isWhole, byte == 0 else { return false }
            }
        }
        return true
    }
}
