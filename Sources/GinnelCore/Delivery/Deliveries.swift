// Messages that are kept until they are acknowledged, as they pass between the program and a session (docs/protocol.md §9).

/// A message, with its payload as bytes of its own or where it lies in the input.
package struct DeliveredMessage<Bytes: Sendable>: Sendable {
    /// From 1; grows within a lane.
    package var id: UInt64
    /// The sender's oldest id that is not acknowledged; no greater than `id`.
    package var floor: UInt64
    /// It was sent before, on another connection.
    package var redelivered: Bool
    /// Any but control.
    package var lane: Lane
    package var name: String
    package var codec: Codec
    package var payload: Bytes

    package init(id: UInt64, floor: UInt64, redelivered: Bool = false, lane: Lane = .normal, name: String, codec: Codec = .raw, payload: Bytes) {
        self.id = id
        self.floor = floor
        self.redelivered = redelivered
        self.lane = lane
        self.name = name
        self.codec = codec
        self.payload = payload
    }
}

extension DeliveredMessage: Equatable where Bytes: Equatable {}

/// A message on its way to the peer.
package typealias OutgoingDelivery = DeliveredMessage<[UInt8]>

/// A message that has arrived whole.
package typealias IncomingDelivery = DeliveredMessage<Payload>

/// What the receiver's program has done with a message.
package struct Acknowledgement: Sendable, Equatable {
    package var id: UInt64
    /// Why it was refused for good; `nil` when it was taken.
    package var refusal: FailureCode?

    package init(id: UInt64, refusal: FailureCode? = nil) {
        self.id = id
        self.refusal = refusal
    }
}

/// A message that an inbox hands to the program.
package struct InboxMessage: Sendable, Equatable {
    package var sender: Identity
    package var id: UInt64
    package var lane: Lane
    package var name: String
    package var codec: Codec
    package var payload: [UInt8]
    /// An earlier start of this program may have had it.
    package var redelivered: Bool

    /// What it counts against the limits on bytes.
    package var cost: Int { name.utf8.count + payload.count + SessionLimits.messageOverhead }
}
