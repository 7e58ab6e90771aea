// How far a connection is on its way from the socket to shared memory (docs/shared-memory.md §4).
//
//     service:  none ──► preparing ──► offered ──► accepted
//     client:   none ──► expecting ──► preparing ──► accepted
//                             any but accepted ──► settled: it stays on the socket
//
// Once accepted there is no way back: each side's SWITCH is its last frame on the socket.

struct Upgrade: Sendable {
    enum Phase: Sendable {
        /// Not wanted by both.
        case none
        /// The client waits for an offer.
        case expecting
        /// The driver makes or maps the segment.
        case preparing
        case offered
        /// Our SWITCH is on its way; the peer's will come, or has.
        case accepted
        /// It stays on the socket.
        case settled
    }

    var phase = Phase.none
    /// Until when the client may take to answer the offer, whose memory waits for it; on the awake clock.
    var answerDeadline: UInt64?
    /// Doorbells are bytes on the socket here, and may follow the peer's last frame.
    var bellsRingThroughSocket = false
    /// The peer's SWITCH is the last frame that was taken; what the socket held behind it is still to be looked at.
    var inputIsSwitching = false
    var inputHasSwitched = false
}
