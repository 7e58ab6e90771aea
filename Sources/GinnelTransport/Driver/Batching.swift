// Holding messages back for a moment, so that many small ones leave with one system call.

internal import GinnelCore

/// How long small messages wait for others before they leave, on each connection. Off by default.
///
/// Without it what is sent in one turn of the connection's loop leaves at its end with one write, and what other threads send leaves at once. With it a write waits until one of the three limits is
/// reached; everything that waits leaves then. It takes time from every message to save system calls, which pays where very many are sent that nobody waits for. What the connection says for itself
/// never waits and takes along what does; nor does anything wait whose sender waits for room, or once the connection is being ended. In formats without lanes, which do not tell the two apart,
/// nothing waits.
public struct Batching: Sendable, Equatable {
    /// How long the first of them waits. Default 0: nothing is held back. At most 60 s.
    public var delay: Duration = .zero
    /// With so many messages they leave before that. Default 64; 1 or more.
    public var messages = 64
    /// With so many bytes, too. Default 64 KiB.
    public var bytes = 65_536

    public static let none = Batching()

    public init() {}

    /// In nanoseconds; 0 when nothing is held back.
    var time: UInt64 { messages > 1 ? min(delay, .seconds(60)).wholeNanoseconds : 0 }
}

extension Driver {
    /// Until when what waits is held back; `nil` when it is to leave. Under the lock, while nobody flushes.
    func heldBack(_ state: inout State) -> UInt64? {
        guard holdTime > 0, state.gathered > 0, state.gathered < batching.messages, staging.isEmpty, state.roomWaiters.isEmpty, state.session.closed == nil else { return nil }
        guard state.session.machine.outputBytes < batching.bytes, state.session.machine.laneDepths?.controlBytes == 0 else { return nil }
        let now = Moment.now.awake
        let until = state.heldUntil ?? now.adding(holdTime)
        guard now < until else { return nil }
        state.heldUntil = until
        return until
    }
}

extension Command {
    /// Whether it is something that the peer's program is told, and may wait for others.
    var isMessage: Bool {
        switch self {
        case .call, .sendItem, .reply, .fail, .item, .event, .message: true
        default: false
        }
    }
}
