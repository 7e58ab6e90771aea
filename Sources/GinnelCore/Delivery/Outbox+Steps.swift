// What an outbox asks of its owner, and what becomes of messages.

extension Outbox {
    package enum Step: Sendable, Equatable {
        /// Put on disk; answered by `stored`. The message is neither sent nor reported as kept before. Where that fails nothing of it may be left on disk.
        case store(OutboxEntry)
        /// Note on disk that ids up to this one may be used; answered by `reserved`.
        case reserve(through: UInt64)
        /// Remove from disk; answered by `removed` when they are gone, and tried again until then.
        case remove([UInt64])
        /// The outbox keeps the message from now on.
        case kept(UInt64)
        /// The outbox keeps it no longer.
        case finished(UInt64, Outcome)
        /// There is room again; those who wait may try.
        case roomAgain
    }

    package enum Outcome: Sendable, Equatable {
        case taken
        /// The receiver's program refused it for good.
        case refused(FailureCode)
        /// It was given up for a newer one.
        case dropped
        /// It could not be kept, or no peer takes it.
        case failed(Failure)

        /// The receiver has seen it.
        var isOfReceiver: Bool {
            switch self {
            case .taken, .refused: true
            case .dropped, .failed: false
            }
        }
    }

    package enum Appended: Sendable, Equatable {
        case accepted(UInt64)
        /// There is no room; `.roomAgain` says when to try again.
        case wait
        case refused(Failure)
    }
}
