// Messages that arrive in chunks (docs/protocol.md §2). Memory grows with what has arrived, never with what is announced.

struct MessageAssembler: Sendable {
    /// Chunks of one stream come in order; events and messages that are delivered have one order each per lane.
    struct Key: Hashable, Sendable {
        var stream: UInt32
        var lane: UInt8 = 0
        var kind: UInt8 = 0
    }

    struct Partial: Sendable {
        let first: FrameHeader
        let total: Int
        /// What it counts as: its length when it is not compressed.
        let charge: Int
        /// When its last chunk so far came, on the awake clock.
        var heardAt: UInt64
        var bytes: [UInt8]
    }

    private var partials: [Key: Partial] = [:]

    var isEmpty: Bool { partials.isEmpty }

    /// Of the unfinished messages the one that has not gone on for longest: since when, and its stream.
    var stalled: (since: UInt64, stream: UInt32)? {
        guard !partials.isEmpty else { return nil }
        return partials.lazy.map { ($0.value.heardAt, $0.key.stream) }.min { $0.0 < $1.0 }
    }
    /// Memory that the unfinished messages take.
    var heldBytes: Int { partials.values.reduce(0) { $0 + $1.bytes.capacity } }

    static func key(_ header: FrameHeader) -> Key {
        header.stream == 0 ? Key(stream: 0, lane: header.lane, kind: header.kind) : Key(stream: header.stream)
    }

    func contains(_ key: Key) -> Bool { partials[key] != nil }

    func contains(stream: UInt32) -> Bool { contains(Key(stream: stream)) }

    /// The length of the whole message that a first chunk announces.
    static func announcedLength(_ payload: borrowing RawSpan) throws(Violation) -> Int {
        guard payload.byteCount > 4 else { throw Violation(.protocolViolation, "a first chunk of \(payload.byteCount) bytes has no room for a length and data") }
        return Int(payload.u32(at: 0))
    }

    mutating func begin(_ header: FrameHeader, total: Int, charge: Int, at now: Moment, _ payload: borrowing RawSpan) throws(Violation) {
        let data = payload.extracting(4...)
        guard data.byteCount < total else {
            throw Violation(.protocolViolation, "a first chunk of \(data.byteCount) bytes with more to come for a message of \(total)")
        }
        partials[Self.key(header)] = Partial(first: header, total: total, charge: charge, heardAt: now.awake, bytes: data.copied())
    }

    /// Adds a chunk; the message when it was the last.
    mutating func add(_ header: FrameHeader, at now: Moment, _ payload: borrowing RawSpan) throws(Violation) -> Partial? {
        let key = Self.key(header)
        guard let index = partials.index(forKey: key) else {
            throw Violation(.protocolViolation, "a continued chunk on stream \(header.stream), which has no open message")
        }
        let first = partials.values[index].first
        guard first.kind == header.kind, first.lane == header.lane else {
            throw Violation(
                .protocolViolation, "a chunk of kind \(header.kind) in lane \(header.lane) in a message of kind \(first.kind) in lane \(first.lane)")
        }
        let isLast = !header.flags.contains(.more)
        guard isLast || payload.byteCount > 0 else { throw Violation(.protocolViolation, "an empty chunk on stream \(header.stream)") }
        let arrived = partials.values[index].bytes.count + payload.byteCount
        let total = partials.values[index].total
        guard isLast ? arrived == total : arrived < total else {
            throw Violation(.protocolViolation, "chunks of \(arrived) bytes for a message announced with \(total)")
        }
        payload.withUnsafeBytes { partials.values[index].bytes.append(contentsOf: $0) }
        partials.values[index].heardAt = now.awake
        return isLast ? partials.removeValue(forKey: key) : nil
    }

    /// Drops an unfinished message; what it counted as when there was one.
    @discardableResult
    mutating func forget(stream: UInt32) -> (kind: UInt8, charge: Int)? {
        guard !partials.isEmpty else { return nil }
        return partials.removeValue(forKey: Key(stream: stream)).map { ($0.first.kind, $0.charge) }
    }

    mutating func removeAll() { partials.removeAll() }
}
