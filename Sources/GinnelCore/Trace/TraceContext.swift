// The place of a call in a trace, as the W3C recommendation "Trace Context" writes it: which trace, which span of it made the call, and whether the trace is recorded.
// It travels with every call (docs/protocol.md §5), so that what programs do for one another can be seen as one whole, whatever they are written in.
//
// Reading is strict and never an error: what is no trace context is as if it had not been sent, and a vendor's list (`tracestate`) that is none costs the list alone. A context of a
// later version is read as far as this version goes and sent on as this version, as the recommendation demands.
//
// The values stand behind a reference, so that the many calls without a trace carry a null pointer and nothing else.

/// Where a call stands in a trace.
public struct TraceContext: Sendable, Hashable {
    private final class Values: Sendable {
        let trace: Identity
        let parent: UInt64
        let flags: UInt8
        let state: String?

        init(_ trace: Identity, _ parent: UInt64, _ flags: UInt8, _ state: String?) {
            self.trace = trace
            self.parent = parent
            self.flags = flags
            self.state = state
        }
    }

    private let values: Values

    /// Bits that are passed on: sampled, and that the trace's id is random. All others are sent as zero.
    private static let knownFlags: UInt8 = 0b11

    private init(unchecked trace: Identity, _ parent: UInt64, _ flags: UInt8, _ state: String?) {
        values = Values(trace, parent, flags & Self.knownFlags, state)
    }

    /// A context made by this program; `nil` when either id is all zeros, which the recommendation forbids.
    ///
    /// - Parameters:
    ///   - trace: the whole of which the call is a part.
    ///   - parent: the span that makes the call.
    ///   - isSampled: whether the caller may have recorded it.
    ///   - state: what vendors add, at most 512 bytes; dropped when it is no list of theirs.
    public init?(trace: Identity, parent: UInt64, isSampled: Bool, state: String? = nil) {
        guard trace != Identity(high: 0, low: 0), parent != 0 else { return nil }
        self.init(unchecked: trace, parent, isSampled ? 1 : 0, state.flatMap { TraceState.checked($0) })
    }

    /// Reads what others have written; `nil` when `traceparent` is none.
    public init?(traceparent: String, tracestate: String? = nil) {
        guard let read = Array(traceparent.utf8).withUnsafeBytes({ TraceParent($0) }) else { return nil }
        self.init(unchecked: read.trace, read.parent, read.flags, tracestate.flatMap { TraceState.checked($0) })
    }

    /// The trace: 32 hexadecimal digits as text.
    public var trace: Identity { values.trace }
    /// The span that made the call.
    public var parent: UInt64 { values.parent }
    /// Whether the caller may have recorded it.
    public var isSampled: Bool { values.flags & 1 != 0 }
    /// What vendors have added; `nil` when there is nothing.
    public var tracestate: String? { values.state }

    /// As it is sent: 55 characters.
    public var traceparent: String { "00-\(trace)-\(Self.digits(parent, 16))-\(Self.digits(UInt64(values.flags), 2))" }

    /// The same trace as seen by a span of ours: what calls carry that this span makes. `nil` when `span` is zero.
    public func child(_ span: UInt64) -> TraceContext? {
        span == 0 ? nil : TraceContext(unchecked: trace, span, values.flags, values.state)
    }

    private static func digits(_ value: UInt64, _ count: Int) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: count - digits.count) + digits
    }

    public static func == (left: TraceContext, right: TraceContext) -> Bool {
        left.values === right.values
            || left.trace == right.trace && left.parent == right.parent && left.values.flags == right.values.flags && left.tracestate == right.tracestate
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(trace)
        hasher.combine(parent)
    }
}

extension TraceContext: CustomStringConvertible {
    public var description: String { traceparent }
}

/// The 55 characters, read.
private struct TraceParent {
    var trace: Identity
    var parent: UInt64
    var flags: UInt8

    /// `version "-" trace "-" parent "-" flags`, in lower-case hexadecimal digits; later versions may go on behind another hyphen.
    init?(_ bytes: UnsafeRawBufferPointer) {
        let hyphen = UInt8(ascii: "-")
        guard bytes.count >= 55, bytes[2] == hyphen, bytes[35] == hyphen, bytes[52] == hyphen else { return nil }
        guard let version = Self.number(bytes[0..<2]), version != 0xFF, version != 0 || bytes.count == 55, bytes.count == 55 || bytes[55] == hyphen else { return nil }
        guard let high = Self.number(bytes[3..<19]), let low = Self.number(bytes[19..<35]), high != 0 || low != 0 else { return nil }
        guard let parent = Self.number(bytes[36..<52]), parent != 0, let flags = Self.number(bytes[53..<55]) else { return nil }
        trace = Identity(high: high, low: low)
        self.parent = parent
        self.flags = UInt8(truncatingIfNeeded: flags)
    }

    /// At most 16 digits.
    private static func number(_ digits: Slice<UnsafeRawBufferPointer>) -> UInt64? {
        var value: UInt64 = 0
        for digit in digits {
            switch digit {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = value << 4 | UInt64(digit - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"): value = value << 4 | UInt64(digit - UInt8(ascii: "a") + 10)
            default: return nil
            }
        }
        return value
    }
}
