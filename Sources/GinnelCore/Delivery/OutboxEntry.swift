// One message that an outbox keeps, and what a disk keeps of an outbox.

/// What is to be sent, before it has an id.
package struct OutboxMessage: Sendable, Equatable {
    /// 1 to 255 bytes.
    package var name: String
    package var codec: Codec
    package var payload: [UInt8]
    /// Any but control.
    package var lane: Lane
    /// Whether it survives the end of the sender's program.
    package var isDurable: Bool

    package init(name: String, codec: Codec = .raw, payload: [UInt8] = [], lane: Lane = .normal, isDurable: Bool = false) {
        self.name = name
        self.codec = codec
        self.payload = payload
        self.lane = lane
        self.isDurable = isDurable
    }

    /// What it counts against the limit on bytes.
    package var cost: Int { name.utf8.count + payload.count + SessionLimits.messageOverhead }
}

package struct OutboxEntry: Sendable, Equatable {
    package var id: UInt64
    package var message: OutboxMessage

    package init(id: UInt64, message: OutboxMessage) {
        self.id = id
        self.message = message
    }
}

/// What a disk keeps, and gives back when the program starts again.
package struct StoredOutbox: Sendable, Equatable {
    /// The identity that stands in HELLO.
    package var sender: Identity
    /// No id above this one has ever been used.
    package var reserved: UInt64
    /// Oldest first or in any other order.
    package var entries: [OutboxEntry]

    /// `sender`: random for a new outbox, which has no entries and has reserved nothing.
    package init(sender: Identity, reserved: UInt64 = 0, entries: [OutboxEntry] = []) {
        self.sender = sender
        self.reserved = reserved
        self.entries = entries
    }
}
