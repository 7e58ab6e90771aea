// A balance of bytes that the peer lets us send, and its mirror image at the receiver (docs/protocol.md §7).

/// At the sender.
struct SendWindow: Sendable, Equatable {
    static let maximum = Int(Int32.max)

    /// What may be sent now.
    private(set) var balance: Int
    /// What the peer would let us send now.
    private var granted: Int
    private let limit: Int

    /// `limit`: what this side lets itself send at most, whatever the peer grants.
    init(_ initial: Int, limit: Int = .max) {
        self.limit = limit
        granted = initial
        balance = min(initial, limit)
    }

    mutating func spend(_ bytes: Int) {
        granted -= bytes
        balance -= bytes
    }

    /// Takes back what was spent on a message that never left.
    mutating func refund(_ bytes: Int) {
        granted += bytes
        balance += bytes
    }

    mutating func add(_ bytes: Int) throws(Violation) {
        guard granted + bytes <= Self.maximum else {
            throw Violation(.flowControl, "a credit of \(bytes) bytes lifts the balance of \(granted) above \(Self.maximum)")
        }
        granted += bytes
        balance = min(balance + bytes, limit)
    }
}

/// At the receiver: what the peer may still send, and what has been consumed but not yet granted again.
struct ReceiveWindow: Sendable, Equatable {
    /// Credit that is collected at most. Half of what a sender of items lets itself send, so that a sender never waits for credit that is being collected.
    static let maximumCollected = ItemFlow.maximumUnderway / 2

    private let size: Int
    private let reserve: Int
    private(set) var balance: Int
    private var consumed = 0

    /// `reserve`: what the peer may need all at once. Where one byte is enough to go on it is 0, since what is not collected is more than half the window.
    init(_ size: Int, reserve: Int = 0) {
        self.size = size
        self.reserve = reserve
        balance = size
    }

    mutating func charge(_ bytes: Int) { balance -= bytes }

    /// `bytes` have been consumed; more than had been charged counts as no more than that. Returns the credit to send now, if any: small amounts are
    /// collected, so that credit costs one small frame for half a window of data or 2 MiB, unless the peer might wait for them.
    mutating func release(_ bytes: Int) -> Int? {
        consumed += min(bytes, size - balance - consumed)
        guard consumed > 0, consumed >= min((size + 1) / 2, Self.maximumCollected) || balance < reserve else { return nil }
        defer { consumed = 0 }
        balance += consumed
        return consumed
    }
}

/// The two directions of items on one call.
struct ItemFlow: Sendable {
    static let overhead = 16
    /// Bytes of items that may be on their way in one stream, whatever window the peer announces: they wait in this side's memory when the peer does not read.
    static let maximumUnderway = 4 << 20

    var send: SendWindow
    var receive: ReceiveWindow
    /// We send items, or have done so.
    let sends: Bool
    /// We shall send no more items.
    var sendEnded: Bool
    /// The peer will send no more items.
    var receiveEnded: Bool
    /// The program was told to wait for credit.
    var waitsForCredit = false

    init(peerWindow: Int, ownWindow: Int, sends: Bool, receives: Bool) {
        send = SendWindow(peerWindow, limit: Self.maximumUnderway)
        receive = ReceiveWindow(ownWindow)
        self.sends = sends
        sendEnded = !sends
        receiveEnded = !receives
    }

    static func cost(of payload: Int) -> Int { payload + overhead }

    /// Charges an item that arrived.
    mutating func charge(_ bytes: Int, stream: UInt32) throws(Violation) {
        guard !receiveEnded else { throw Violation(.protocolViolation, "an item on stream \(stream) after its end") }
        guard receive.balance > 0 else { throw Violation(.flowControl, "an item of \(bytes) bytes on stream \(stream) without credit") }
        receive.charge(Self.cost(of: bytes))
    }
}
