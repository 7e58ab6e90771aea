// Sending and receiving: on the caller's thread, without a lock and without a copy that is not asked for.

internal import CGinnelPlatform
internal import GinnelCore
internal import Synchronization

extension SharedMemoryStream {
    // MARK: Out

    /// Sends a message: copies it into the ring, and waits while there is no room.
    ///
    /// - Parameters:
    ///   - message: up to `maximumMessage` bytes; may be empty.
    ///   - time: how long to wait for room; `nil`, the default, for as long as the peer lives.
    /// - Throws: `GinnelError`: `invalid` for a message over the limit or while another task sends, `timedOut`, `closed` when the stream has ended; `CancellationError`.
    public func send(_ message: [UInt8], within time: Duration? = nil) async throws {
        try await withRoom(message.count, within: time) { room in
            message.withUnsafeBytes { room.copyMemory(from: $0) }
            return message.count
        }
    }

    /// Writes a message in place. `body` gets the ring's own memory for `byteCount` bytes and fills it from the beginning; what it has filled when it returns is the message. When it throws nothing is sent.
    ///
    /// - Throws: as `send`, and whatever `body` throws.
    public func reserve(_ byteCount: Int, within time: Duration? = nil, _ body: (inout OutputRawSpan) throws -> Void) async throws {
        try await withRoom(byteCount, within: time) { room in
            var span = OutputRawSpan(buffer: room, initializedCount: 0)
            try body(&span)
            return span.finalize(for: room)
        }
    }

    /// Waits for room, has `body` fill it, which says how far, and publishes that.
    private func withRoom(_ byteCount: Int, within time: Duration?, _ body: (UnsafeMutableRawBufferPointer) throws -> Int) async throws {
        guard (0...maximumMessage).contains(byteCount) else {
            throw GinnelError(.invalid, "a message of \(byteCount) bytes, over the limit of \(maximumMessage), half the ring less 4 (sharedMemory.ringBytes)", peer: peer)
        }
        guard !isSending.exchange(true, ordering: .acquiring) else { throw GinnelError(.invalid, "another task sends on this stream", peer: peer) }
        defer { isSending.store(false, ordering: .releasing) }
        let place = try await room(byteCount, within: time)
        let count = try body(link.writer.buffer(of: place))
        if link.writer.publish(place.shortened(to: count)) { link.ringPeer() }
    }

    private func room(_ byteCount: Int, within time: Duration?) async throws -> RingProducer.Place {
        let deadline = time.map { Moment.now.awake.adding($0.wholeNanoseconds) }
        do {
            while true {
                if let end = waiting.end { throw error(for: end) }
                if let place = try link.writer.reserve(byteCount) { return place }
                try check(deadline, time, Self.noRoom(byteCount))
                if poll(until: deadline, { link.writer.hasNews }) { continue }
                guard try link.writer.declareWait() else { continue }
                try await sleep(.sender, deadline, time, Self.noRoom(byteCount))
            }
        } catch let violation as RingViolation {
            violated(violation)
            throw error(for: .violated(violation.sentence))
        }
    }

    private static func noRoom(_ byteCount: Int) -> String { "no room for a message of \(byteCount) bytes" }

    // MARK: In

    /// Receives the next message; `nil` when the peer has closed the stream and everything was received.
    ///
    /// - Parameters:
    ///   - time: how long to wait; `nil`, the default, for as long as the peer lives.
    /// - Throws: `GinnelError`: `invalid` while another task receives, `timedOut`, `closed` when this side has closed the stream, the peer broke a rule, or, once everything was received, the peer
    ///   ended without a farewell, as a process that dies does; `CancellationError`.
    public func receive(within time: Duration? = nil) async throws -> [UInt8]? {
        guard !isReceiving.exchange(true, ordering: .acquiring) else { throw GinnelError(.invalid, "another task receives on this stream", peer: peer) }
        defer { isReceiving.store(false, ordering: .releasing) }
        guard let record = try await nextRecord(within: time) else { return nil }
        defer { giveBack(record) }
        return [UInt8](link.reader.bytes(of: record))
    }

    /// Lends the next message and gives its room back when `body` returns or throws, while others lie there together with theirs; `nil` as in `receive`.
    ///
    /// With `trustedPeer` the bytes are the ring's own: nothing is copied, and the peer could change them while `body` looks. Without, they are a copy.
    ///
    /// - Throws: as `receive`, and whatever `body` throws.
    public func withNextMessage<Result>(within time: Duration? = nil, _ body: (borrowing RawSpan) throws -> Result) async throws -> Result? {
        guard !isReceiving.exchange(true, ordering: .acquiring) else { throw GinnelError(.invalid, "another task receives on this stream", peer: peer) }
        defer { isReceiving.store(false, ordering: .releasing) }
        guard let record = try await nextRecord(within: time) else { return nil }
        defer { giveBack(record) }
        if lendsRing { return try body(link.reader.bytes(of: record).bytes) }
        defer { if copy.capacity > Self.keptCopy { copy = [] } }
        copy.removeAll(keepingCapacity: true)
        copy.append(contentsOf: link.reader.bytes(of: record))
        return try body(copy.span.bytes)
    }

    /// Bytes of the copy that are kept for the next message.
    private static let keptCopy = 64 * 1024

    private func giveBack(_ record: RingRecord) {
        if link.reader.giveBackGathered(record) { link.ringPeer() }
    }

    private func nextRecord(within time: Duration?) async throws -> RingRecord? {
        let deadline = time.map { Moment.now.awake.adding($0.wholeNanoseconds) }
        do {
            while true {
                // First the end, then the ring: what was published before the end is then seen for certain.
                let end = waiting.end
                if let end, !end.leavesMessages { throw error(for: end) }
                if end != nil { try link.reader.noteEnd() }
                if let record = try link.reader.next() { return record }
                if case .peerEnded? = end { return nil }
                if let end { throw error(for: end) }
                if link.reader.settle() { link.ringPeer() }
                try check(deadline, time, "no message")
                if poll(until: deadline, { link.reader.hasNews }) { continue }
                guard try link.reader.declareWait() else { continue }
                try await sleep(.receiver, deadline, time, "no message")
            }
        } catch let violation as RingViolation {
            violated(violation)
            throw error(for: .violated(violation.sentence))
        }
    }

    // MARK: Waiting

    /// Looks for as long as is configured, while the task is wanted and its deadline has not come; whether there is something.
    private func poll(until deadline: UInt64?, _ hasNews: () -> Bool) -> Bool {
        guard pollingTime > 0 else { return false }
        let end = min(gn_clock_awake().adding(pollingTime), deadline ?? .max)
        repeat {
            for _ in 0..<64 {
                if hasNews() { return true }
                gn_relax()
            }
        } while gn_clock_awake() < end && !Task.isCancelled && waiting.end == nil
        return false
    }

    /// Before each wait, since a wait may end with news again and again and never with enough of it.
    private func check(_ deadline: UInt64?, _ time: Duration?, _ what: @autoclosure () -> String) throws {
        if Task.isCancelled { throw CancellationError() }
        if let deadline, gn_clock_awake() >= deadline { throw late(time, what()) }
    }

    private func late(_ time: Duration?, _ what: String) -> GinnelError { GinnelError(.timedOut, "\(what) within \(time ?? .zero)", peer: peer) }

    private func sleep(_ side: StreamWaiting.Side, _ deadline: UInt64?, _ time: Duration?, _ what: String) async throws {
        switch await waiting.sleep(side, until: deadline, arm: armForDeadline) {
        case .news: break
        case .timedOut: throw late(time, what)
        case .cancelled: throw CancellationError()
        }
    }

    private func error(for end: StreamWaiting.End) -> GinnelError {
        switch end {
        case .closedHere: GinnelError(.closed, "the stream was closed on this side", peer: peer)
        case .peerEnded: GinnelError(.closed, "the peer has ended the stream", peer: peer)
        case .peerDied:
            GinnelError(.closed, "the peer ended without a farewell; its process may have died, or it takes us to have broken a rule", peer: peer)
        case .violated(let sentence): GinnelError(.closed, "the peer broke a rule: \(sentence)", peer: peer, failure: Failure(.protocolViolation, sentence))
        }
    }
}
