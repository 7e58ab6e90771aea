// A balance of bytes that the peer lets us send, and its mirror image at the receiver (docs/protocol.md §7).

/// At the sender.
struct SendWindow: Sendable, Equatable {
    static let maximum = Int(Int32.max)

    private(set) var balance: Int

    init(_ initial: Int) { balance = initial }

    mutating func spend(_ bytes: Int) { balance -= bytes }

    /// Takes back what was spent on a message that never left.
    mutating func refund(_ bytes: Int) { balance += bytes }

    mutating func add(_ bytes: Int) throws(Violation) {
        guard balance + bytes <= Self.maximum else {
            throw Violation(.flowControl, "a credit of \(bytes) bytes lifts the balance of \(balance) above \(Self.maximum)")
        }
        balance += bytes
    }
}

/// At the receiver: what the peer may still send, and what has been consumed but not yet granted again.
struct ReceiveWindow: Sendable, Equatable {
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
    /// collected, so that credit costs one small frame for half a window of data, unless the peer might wait for them.
    mutating func release(_ bytes: Int) -> Int? {
        consumed += min(bytes, size - balance - consumed)
        guard consumed > 0, consumed * 2 >= size || balance < reserve else { return nil }
        defer { consumed = 0 }
        balance += consumed
        return consumed
    }
}

/// The two directions of items on one call.
struct ItemFlow: Sendable {
    static let overhead = 16

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
        send = SendWindow(peerWindow)
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
