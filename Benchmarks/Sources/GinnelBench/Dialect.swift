// What is said in each wire format so that a round trip carries payloads of the same length in all of them.

import Ginnel

struct Dialect {
    let format: WireFormat
    let method: String
    let codec: Codec
    /// A payload of exactly so many bytes, which comes back as it is.
    let payload: @Sendable (Int) -> [UInt8]
    /// The handler answers with it in a message of its own, and the caller has all of that.
    var wrapping: (head: [UInt8], tail: [UInt8])?

    /// What the handler returns.
    func answer(_ payload: [UInt8]) -> [UInt8] { wrapping.map { $0.head + payload + $0.tail } ?? payload }

    func isEcho(_ reply: [UInt8], of payload: [UInt8]) -> Bool { wrapping.map { reply.suffix(payload.count + $0.tail.count) == payload + $0.tail } ?? (reply == payload) }

    /// Looks at the length alone, which is exact where nothing is wrapped.
    func mayEcho(_ count: Int, of payload: Int) -> Bool { wrapping == nil ? count == payload : count > payload }

    /// The fewest bytes of a payload.
    var shortest: Int { payload(0).count }

    private static func bytes(_ count: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: $0) } }

    /// An object of so many bytes, the rest of it one string.
    private static func object(_ head: String) -> @Sendable (Int) -> [UInt8] {
        let frame = "{\(head)\"data\":\"\"}".utf8.count
        return { Array("{\(head)\"data\":\"\(String(repeating: "x", count: max(0, $0 - frame)))\"}".utf8) }
    }

    static let all: [String: Dialect] = [
        "native": Dialect(format: .native, method: "plain", codec: .raw, payload: bytes),
        "tagged-json": Dialect(format: .taggedJSON(), method: "plain", codec: .json, payload: object(#""type":"plain","#)),
        "headered": Dialect(format: .headered(payloads: .opaque()), method: "completion_request", codec: .raw, payload: bytes),
        "checksummed": Dialect(format: .checksummed(method: "plain", codec: .raw), method: "plain", codec: .raw, payload: { bytes(max(1, $0)) }),
        "envelope": Dialect(
            format: .envelope(answers: ["plain": ["plain"]]), method: "plain", codec: .json, payload: object(""),
            wrapping: (Array(#"{"type":"plain","payload":"#.utf8), Array("}".utf8))),
    ]
}
