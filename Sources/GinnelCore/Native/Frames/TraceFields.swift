// A trace context as fields of a REQUEST (docs/protocol.md §5).

extension TraceContext {
    private enum Tag {
        static let parent: UInt16 = 1
        static let state: UInt16 = 2
    }

    /// Bytes of a `traceparent`.
    private static let parentBytes = 55

    /// What these fields say of a trace; `nil` when they say nothing, or nothing that makes sense.
    init?(_ fields: Fields) {
        guard let parent = fields[Tag.parent] else { return nil }
        self.init(traceparent: String(decoding: parent, as: UTF8.self), tracestate: fields[Tag.state].map { String(decoding: $0, as: UTF8.self) })
    }

    /// Bytes that `write` appends.
    var fieldBytes: Int { 4 + Self.parentBytes + (tracestate.map { 4 + $0.utf8.count } ?? 0) }

    func write(to output: inout OutputBuffer) {
        output.append(littleEndian: Tag.parent)
        output.append(littleEndian: UInt16(Self.parentBytes))
        output.append(traceparent.utf8)
        guard let tracestate else { return }
        output.append(littleEndian: Tag.state)
        output.append(littleEndian: UInt16(truncatingIfNeeded: tracestate.utf8.count))
        output.append(tracestate.utf8)
    }
}
