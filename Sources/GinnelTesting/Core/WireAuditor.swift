// An onlooker that reads both directions of a native connection and knows the rules of docs/protocol.md, but none of the code that follows them.
//
// It keeps the books of each sender: what it has produced, and what had been delivered to it by then. A sender that is allowed something by these books cannot
// be in the wrong, however long the bytes are under way. Speaks of the traffic after the handshake.

package import GinnelCore

package struct WireAuditor {
    /// Each names the rule that was broken.
    package private(set) var findings: [String] = []
    private var books: [Role: Book]

    private struct Partial {
        var kind: UInt8
        var left: Int
        /// The other side has cancelled: the rest need not come.
        var mayStop = false
    }

    private struct Book {
        /// What the other side announced.
        let peer: AnnouncedLimits
        var requestBalance: Int
        /// Own calls from the first chunk of the request until the final frame has been delivered.
        var inFlight: Set<UInt32> = []
        /// Own calls on which nothing more may be said.
        var silenced: Set<UInt32> = []
        /// Own calls whose items have ended.
        var ended: Set<UInt32> = []
        /// The peer's calls that wait for a final frame.
        var serving: Set<UInt32> = []
        var itemBalances: [UInt32: Int] = [:]
        /// Own messages without an acknowledgement, and what they cost; ids of a test fit 32 bits.
        var messages: [UInt32: Int] = [:]
        /// The last id of each lane.
        var lastMessages: [UInt8: UInt32] = [:]
        /// The peer's messages that wait for one.
        var owed: Set<UInt32> = []
        var sending: [String: Partial] = [:]
        var undelivered: [UInt8] = []
    }

    /// The limits that each side announced.
    package init(client: AnnouncedLimits, service: AnnouncedLimits) {
        books = [
            .client: Book(peer: service, requestBalance: service.requestWindow), .service: Book(peer: client, requestBalance: client.requestWindow),
        ]
    }

    /// What `side` may still send of requests.
    package func requestBalance(of side: Role) -> Int { books[side]?.requestBalance ?? 0 }

    private mutating func find(_ side: Role, _ frame: WireFrame, _ what: String) {
        findings.append("\(side): kind \(frame.kind) on stream \(frame.stream): \(what)")
    }

    private static func key(_ frame: WireFrame) -> String { frame.stream == 0 ? "kind \(frame.kind), lane \(frame.lane)" : "stream \(frame.stream)" }

    private static func owns(_ side: Role, _ stream: UInt32) -> Bool { (stream % 2 == 1) == (side == .client) }

    // MARK: Produced

    /// `side` has made these bytes; they are whole frames.
    package mutating func produced(by side: Role, _ bytes: [UInt8]) {
        let frames = WireFrame.all(in: bytes)
        if frames.reduce(0, { $0 + 16 + $1.payload.count }) != bytes.count { findings.append("\(side): the output does not end with a frame") }
        for frame in frames { produced(by: side, frame) }
    }

    private mutating func produced(by side: Role, _ frame: WireFrame) {
        guard var book = books.removeValue(forKey: side) else { return }
        defer { books[side] = book }
        if frame.payload.count > 65_536 { find(side, frame, "\(frame.payload.count) bytes in one frame") }
        let isOwn = Self.owns(side, frame.stream)
        if isOwn, book.silenced.contains(frame.stream), frame.kind != WireFrame.Kind.request { find(side, frame, "after its cancel") }
        if frame.kind == WireFrame.Kind.cancel {
            book.silenced.insert(frame.stream)
            book.sending[Self.key(frame)] = nil
        }
        if frame.kind == WireFrame.Kind.end, !book.ended.insert(frame.stream).inserted { find(side, frame, "a second end") }

        let isFinal = frame.kind == WireFrame.Kind.response || frame.kind == WireFrame.Kind.failure
        if frame.kind == WireFrame.Kind.acknowledge { acknowledge(frame, side, &book) }
        let others = [WireFrame.Kind.request, WireFrame.Kind.item, WireFrame.Kind.event, WireFrame.Kind.message]
        guard isFinal || others.contains(frame.kind) else {
            if book.sending[Self.key(frame)] != nil, frame.kind == WireFrame.Kind.end { find(side, frame, "in the middle of a message") }
            return
        }
        guard let total = Self.follow(frame, in: &book.sending) else { return find(side, frame, "chunks that do not fit together") }
        if frame.flags & WireFrame.continued == 0 {
            if total > book.peer.maximumMessage { find(side, frame, "\(total) bytes, over the limit") }
            begin(frame, total, isOwn, side, &book)
        }
        if isFinal, frame.flags & WireFrame.more == 0, book.serving.remove(frame.stream) == nil { find(side, frame, "no call waits for it") }
    }

    private mutating func begin(_ frame: WireFrame, _ total: Int, _ isOwn: Bool, _ side: Role, _ book: inout Book) {
        switch frame.kind {
        case WireFrame.Kind.request:
            if !isOwn || frame.stream == 0 { find(side, frame, "not a number of its own") }
            if !book.inFlight.insert(frame.stream).inserted { find(side, frame, "the number is in flight") }
            if book.inFlight.count > book.peer.callsInFlight { find(side, frame, "\(book.inFlight.count) calls in flight") }
            book.silenced.remove(frame.stream)
            book.ended.remove(frame.stream)
            book.itemBalances[frame.stream] = book.peer.itemWindow
            book.requestBalance -= total
            if book.requestBalance < 0 { find(side, frame, "the window is overdrawn by \(-book.requestBalance)") }
        case WireFrame.Kind.item:
            guard let balance = book.itemBalances[frame.stream] else { return find(side, frame, "no such call") }
            if balance <= 0 { find(side, frame, "sent at a balance of \(balance)") }
            if isOwn, book.ended.contains(frame.stream) { find(side, frame, "after its end") }
            if !isOwn, !book.serving.contains(frame.stream) { find(side, frame, "after the final frame") }
            book.itemBalances[frame.stream] = balance - total - 16
        case WireFrame.Kind.message:
            let at = frame.flags & WireFrame.more == 0 ? 0 : 4
            let id = WireFrame.u32(frame.payload[at..<at + 4])
            if id <= book.lastMessages[frame.lane, default: 0] { find(side, frame, "message \(id) after one that is not older") }
            book.lastMessages[frame.lane] = id
            book.messages[id] = total + 128
            if book.messages.values.reduce(0, +) > book.peer.deliveryWindow { find(side, frame, "the delivery window is overdrawn") }
        default: break
        }
    }

    private mutating func acknowledge(_ frame: WireFrame, _ side: Role, _ book: inout Book) {
        if frame.payload.isEmpty || frame.payload.count % 12 != 0 { find(side, frame, "no whole records") }
        for start in stride(from: 0, to: frame.payload.count - 11, by: 12) where book.owed.remove(WireFrame.u32(frame.payload[start..<start + 4])) == nil {
            find(side, frame, "an acknowledgement that is not owed")
        }
    }

    /// Checks a frame against the message that it continues or begins; the message's length, or `nil` when it does not fit.
    private static func follow(_ frame: WireFrame, in partials: inout [String: Partial]) -> Int? {
        let more = frame.flags & WireFrame.more != 0
        if frame.flags & WireFrame.continued != 0 {
            guard var partial = partials[key(frame)], partial.kind == frame.kind else { return nil }
            partial.left -= frame.payload.count
            partials[key(frame)] = more ? partial : nil
            return (more ? partial.left > 0 : partial.left == 0) ? 0 : nil
        }
        guard partials[key(frame)]?.mayStop != false else { return nil }
        partials[key(frame)] = nil
        guard more else { return frame.payload.count }
        guard frame.payload.count > 4 else { return nil }
        let total = Int(WireFrame.u32(frame.payload[..<4]))
        partials[key(frame)] = Partial(kind: frame.kind, left: total - frame.payload.count + 4)
        return total > frame.payload.count - 4 ? total : nil
    }

    // MARK: Delivered

    /// `side` has been given these bytes, cut anywhere.
    package mutating func delivered(to side: Role, _ bytes: [UInt8]) {
        guard var book = books.removeValue(forKey: side) else { return }
        defer { books[side] = book }
        book.undelivered += bytes
        var read = 0
        while let frame = WireFrame(reading: book.undelivered[read...]) {
            read += 16 + frame.payload.count
            Self.delivered(frame, side, &book)
        }
        book.undelivered.removeFirst(read)
    }

    private static func delivered(_ frame: WireFrame, _ side: Role, _ book: inout Book) {
        switch frame.kind {
        case WireFrame.Kind.credit:
            let bytes = Int(WireFrame.u32(frame.payload))
            if frame.stream == 0 { book.requestBalance += bytes } else { book.itemBalances[frame.stream]? += bytes }
        case WireFrame.Kind.request where frame.flags & WireFrame.continued == 0:
            book.serving.insert(frame.stream)
            book.itemBalances[frame.stream] = book.peer.itemWindow
        case WireFrame.Kind.message where frame.flags & WireFrame.continued == 0:
            let at = frame.flags & WireFrame.more == 0 ? 0 : 4
            book.owed.insert(WireFrame.u32(frame.payload[at..<at + 4]))
        case WireFrame.Kind.acknowledge:
            for start in stride(from: 0, to: frame.payload.count - 11, by: 12) { book.messages[WireFrame.u32(frame.payload[start..<start + 4])] = nil }
        case WireFrame.Kind.cancel:
            book.sending[key(frame)]?.mayStop = true
        case WireFrame.Kind.response, WireFrame.Kind.failure:
            if frame.flags & WireFrame.more == 0 { book.inFlight.remove(frame.stream) }
        default: break
        }
    }
}
