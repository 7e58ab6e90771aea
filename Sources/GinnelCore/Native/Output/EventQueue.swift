// Events that wait in one lane. One that has begun to leave can no longer be dropped, so it is kept apart from those that can.

struct EventQueue: Sendable {
    private var begun: OutgoingMessage?
    private var waiting = Queue<OutgoingMessage>()
    /// Events that were dropped since the last one began to leave.
    private var missed: UInt32 = 0

    var isEmpty: Bool { begun == nil && waiting.isEmpty }

    mutating func append(_ event: OutgoingMessage) { waiting.append(event) }

    /// Drops the oldest event that has not begun to leave; the next one to leave says that it is missing.
    mutating func dropOldest() -> OutgoingMessage? {
        guard let dropped = waiting.popFirst() else { return nil }
        missed &+= 1
        return dropped
    }

    /// Appends the next frame. Returns how many bytes of its event have left with it, and the event when that was its last frame.
    mutating func writeFrame(to output: inout OutputBuffer, sealed: Bool) -> (bytes: Int, finished: OutgoingMessage?) {
        guard var event = begun ?? waiting.popFirst() else { return (0, nil) }
        let before = event.remaining
        let missed = begun == nil ? self.missed : 0
        if begun == nil { self.missed = 0 }
        let isLast = event.writeFrame(to: &output, missed: missed, sealed: sealed)
        begun = isLast ? nil : event
        return (before - event.remaining, isLast ? event : nil)
    }
}
