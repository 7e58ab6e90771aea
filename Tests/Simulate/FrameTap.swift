// Somebody on the wire who changes what a client says: how faults are planted that only a broken product could have. Reads and writes frames from docs/protocol.md alone.

import GinnelTesting

/// `@unchecked Sendable`: one thread touches it.
final class FrameTap: @unchecked Sendable {
    private let fault: Fault
    private let connection: Int
    private var pending: [UInt8] = []
    private var hasGreeted = false

    /// `nil` where nothing is to be changed.
    init?(_ fault: Fault?, connection: Int) {
        guard let fault, [.changesIdentity, .hidesRedelivery, .floorTooHigh].contains(fault) else { return nil }
        self.fault = fault
        self.connection = connection
    }

    /// The whole frames among what was written so far, changed; the rest waits for its end.
    func altered(_ bytes: [UInt8]) -> [UInt8] {
        pending += bytes
        var result: [UInt8] = []
        if !hasGreeted {
            guard pending.count >= WireFrame.preamble.count else { return [] }
            result += pending[..<WireFrame.preamble.count]
            pending.removeFirst(WireFrame.preamble.count)
            hasGreeted = true
        }
        var rest = pending[...]
        while let frame = WireFrame(reading: rest) {
            rest = rest.dropFirst(frame.encoded.count)
            result += altered(frame).encoded
        }
        pending = Array(rest)
        return result
    }

    private func altered(_ frame: WireFrame) -> WireFrame {
        var frame = frame
        switch (fault, frame.kind) {
        case (.changesIdentity, WireFrame.Kind.hello): changeIdentity(&frame.payload)
        case (.hidesRedelivery, WireFrame.Kind.message) where isFirst(frame): frame.payload[body(frame) + 18] &= ~1
        case (.floorTooHigh, WireFrame.Kind.message) where isFirst(frame):
            let at = body(frame)
            frame.payload.replaceSubrange((at + 8)..<(at + 16), with: frame.payload[at..<at + 8])
        default: break
        }
        return frame
    }

    private func isFirst(_ frame: WireFrame) -> Bool { frame.flags & WireFrame.continued == 0 }
    /// Where the body begins: behind the length of a message that comes in chunks.
    private func body(_ frame: WireFrame) -> Int { frame.flags & WireFrame.more == 0 ? 0 : 4 }

    private func changeIdentity(_ fields: inout [UInt8]) {
        var at = 0
        while at + 4 <= fields.count {
            let (tag, length) = (Int(fields[at]) | Int(fields[at + 1]) << 8, Int(fields[at + 2]) | Int(fields[at + 3]) << 8)
            if tag == 10 { fields[at + 4] = fields[at + 4] &+ UInt8(truncatingIfNeeded: connection) }
            at += 4 + length
        }
    }
}
