// The contract of a wire format: how bytes become messages and messages become bytes, for one channel.
//
// A machine is a value without I/O. The driver feeds it under a lock (`receive`, `submit`, `timeOut`, `inputEnded`), takes the actions that it
// appended, and asks it for bytes to send (`produce`). To add a wire format, write a type that conforms to this; no driver code changes.
//
// Three kinds of surprise, decided here once for all machines:
//  - our own bug (a reply for a call that never was): asserted in debug builds, ignored in release;
//  - the peer's violation: one `.close` action that names it, after a word to the peer where the format has one;
//  - a legal no-op (a late reply, a cancel of something that has ended): ignored in silence.
// Nothing here traps on input.

/// Which end of the channel a machine is.
package enum Role: Sendable, Equatable {
    case client
    case service

    package var other: Role { self == .client ? .service : .client }
}

/// Priority of messages (docs/protocol.md §7).
public enum Lane: UInt8, Sendable, CaseIterable {
    case control = 0
    case high = 1
    case normal = 2
    case low = 3
}

/// What the program wants sent. Formats that cannot express a command answer it with a failure of the call, or ignore it.
package enum Command: Sendable {
    /// Starts a call. It ends with exactly one of `.replied` and `.failed` for the same token.
    case call(any OutgoingCall, OutgoingRequest)
    /// The caller has lost interest: ends the call at once with this failure, if it is still in flight.
    case abandon(any OutgoingCall, Failure)
    /// One item of an outgoing call, or the end of its items (`nil`).
    case sendItem(any OutgoingCall, codec: Codec, payload: [UInt8]?)
    /// The program has consumed an item of this many bytes of an outgoing call.
    case grant(any OutgoingCall, bytes: Int)

    /// The reply to an incoming call.
    case reply(call: UInt32, codec: Codec, payload: [UInt8])
    case fail(call: UInt32, Failure)
    /// One item for the caller of an incoming call.
    case item(call: UInt32, codec: Codec, payload: [UInt8])
    /// The handler of an incoming call has consumed an item of this many bytes.
    case accept(call: UInt32, bytes: Int)

    case event(name: String, codec: Codec, payload: [UInt8], lane: Lane)
    /// A message that is kept until the peer has acknowledged it. Ids of one lane grow.
    case message(OutgoingDelivery)
    /// What became of a message that the peer sent.
    case acknowledge(id: UInt64, code: FailureCode?)
    case ping(UInt64)
    /// No new calls, in either direction; the session closes when the last one has ended. The failure is the reason that the peer is told.
    case farewell(Failure)
    /// What became of a step of the way to another transport.
    case upgrade(UpgradeAnswer)
    /// Ends the session now, telling the peer why.
    case close(Failure)
}

package struct OutgoingRequest: Sendable {
    package var method: String
    package var codec: Codec
    package var payload: [UInt8]
    /// On the continuous clock, nanoseconds.
    package var deadline: UInt64?
    package var lane: Lane
    package var itemsFollow: Bool
    /// Where the call stands in a trace; formats that cannot say so leave it out.
    package var trace: TraceContext?
    /// Whoever submits it has made sure that the connection is encrypted.
    package var isSensitive: Bool

    package init(
        method: String, codec: Codec, payload: [UInt8], deadline: UInt64? = nil, lane: Lane = .normal, itemsFollow: Bool = false, trace: TraceContext? = nil,
        isSensitive: Bool = false
    ) {
        self.method = method
        self.codec = codec
        self.payload = payload
        self.deadline = deadline
        self.lane = lane
        self.itemsFollow = itemsFollow
        self.trace = trace
        self.isSensitive = isSensitive
    }
}

/// What came of a command that sends an item, an event, a message or a ping.
package enum Acceptance: Sendable, Equatable {
    /// Taken. More may follow at once when `mayCarryOn`; else `.carryOn` or `.mayCarryOn` will say when, and a sender of events had better wait until what it sent has left.
    case taken(mayCarryOn: Bool)
    /// Not taken: the call or the session has ended, or the format has no such thing. What ended it is told by its own action.
    case ended
    /// Not taken: there is no credit; `.carryOn`, `.mayCarryOn` or `.messagesMayCarryOn` will say when to try again.
    case noCredit
    /// Not taken: a good deal waits for the peer, and the format has no credit; the time to try again is when it has left.
    case noRoom
    /// Not taken: longer than the peer accepts.
    case tooLarge(limit: Int)
}

package protocol SessionMachine: Sendable {
    /// Begins: the handshake, time-outs. Called once, before anything else.
    mutating func start(at now: Moment, _ actions: inout [Action])

    /// Takes as many whole messages as `input` holds, in order, and returns how many bytes they were. The caller keeps the rest and shows it again with what
    /// arrives next. Stops early after `.close`, and when `wantsInput` has become false.
    mutating func receive(_ input: borrowing RawSpan, at now: Moment, _ actions: inout [Action]) -> Int

    /// The peer has ended its side (`failure` is nil) or the channel broke. `unread` bytes of an unfinished message were left.
    mutating func inputEnded(_ failure: Failure?, unread: Int, at now: Moment, _ actions: inout [Action])

    /// Carries out a command of the program. The result matters to commands that send items, events and pings.
    @discardableResult
    mutating func submit(_ command: Command, at now: Moment, _ actions: inout [Action]) -> Acceptance

    /// Time has passed.
    mutating func timeOut(at now: Moment, _ actions: inout [Action])

    /// When `timeOut` is next due; may be early, never late.
    var wakeUp: WakeUp { get }

    /// False while the machine cannot take another message: ordered formats, while a request is being answered; formats without credit, while the program is behind with
    /// the items that it has.
    var wantsInput: Bool { get }

    /// Whether `produce` would produce anything.
    var hasOutput: Bool { get }

    /// Bytes that wait to be produced, for limits and metrics.
    var outputBytes: Int { get }

    /// What these count against the limits on memory, the messages around them included.
    var heldBytes: Int { get }

    /// What waits, by lane; `nil` where the format has no lanes of this kind.
    var laneDepths: LaneDepths? { get }

    /// Messages that `produce` has given whole so far, those of the connection itself not counted where the format tells them apart.
    var messagesProduced: UInt64 { get }

    /// Appends bytes to send, whole frames in the order in which they must leave, until `output` holds at least `goal` bytes or nothing waits.
    mutating func produce(into output: inout OutputBuffer, goal: Int)

    /// What a peer reads that was refused before a byte of it was read; empty where the format closes in silence.
    static func refusal(_ code: FailureCode) -> [UInt8]
}
