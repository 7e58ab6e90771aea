// The envelope format for services and clients.

public import GinnelCore
internal import GinnelTransport

extension WireFormat {
    /// Length-prefixed JSON envelopes with id, type, timestamp and payload (docs/formats/envelope.md): every message is answered with an acknowledgement or with a message of its own.
    ///
    /// The type is the method or the event's name, and the payload member is the payload; `Envelope` has the types. A handler answers with `Nothing` for an acknowledgement or with an
    /// `Envelope.Answer`. Make one format value for a service and use it for all its endpoints: what it remembers of ids, so that a message that comes again is not dealt with again, belongs to the value.
    ///
    /// - Parameters:
    ///   - maximumMessage: bytes of the longest message. Default 1 MiB; 16,384 to 2³¹ − 1. A value outside counts as the nearest one inside.
    ///   - answers: which types of message may answer a message of a type in place of an acknowledgement. Default `Envelope.answers`.
    ///   - received: for clients, the types that `Client.receive` deals with and that are acknowledged when it has; all others are events and are not acknowledged. Default none.
    ///   - expectsHeartbeats: for services, whether a client from which nothing came for two intervals of `timeouts.heartbeat` is dropped. Default true; false for clients of another make that
    ///     send no heartbeats and have little to say.
    public static func envelope(
        maximumMessage: Int = 1 << 20, answers: [String: Set<String>] = Envelope.answers, received: Set<String> = [], expectsHeartbeats: Bool = true
    ) -> WireFormat {
        let memory = SharedEnvelopeMemory()
        return WireFormat(
            name: "envelope", canUpgrade: false, canDeliver: true,
            machine: { ingredients in
                var configuration = EnvelopeConfiguration()
                configuration.maximumMessage = min(max(maximumMessage, 16_384), Int(Int32.max))
                configuration.answers = answers
                configuration.received = received
                configuration.expectsHeartbeats = expectsHeartbeats
                // Whoever runs has found a generator that works; if it fails now, the time has to do.
                configuration.ids = (try? Identity.random()) ?? Identity(high: ingredients.identity.high, low: .awakeNow)
                configuration.deliveryIDs = ingredients.identity
                if !ingredients.program.isEmpty { configuration.sender = ingredients.program }
                configuration.time = { Envelope.Time.now.timestamp }
                configuration.memory = memory
                configuration.limits = ingredients.limits
                configuration.timeouts = ingredients.timeouts
                return EnvelopeSession(role: ingredients.role, configuration)
            },
            refusal: { EnvelopeSession.refusal($0) })
    }
}

/// The ids that all connections of one format value have seen.
private final class SharedEnvelopeMemory: EnvelopeRecall {
    private let memory = Guarded(EnvelopeMemory())

    func took(_ id: Identity) -> EnvelopeMemory.Finding { memory.withLock { $0.took(id) } }
    func answered(_ id: Identity, _ error: String?) { memory.withLock { $0.answered(id, error) } }
    func forgot(_ id: Identity) { memory.withLock { $0.forgot(id) } }
    func finding(_ id: Identity) -> EnvelopeMemory.Finding { memory.withLock { $0.finding(id) } }
}

extension ReconnectPolicy {
    /// What the agents of the envelope format do: 5 s after the first failure, twice as long after each further one, 5 minutes at most, each delay shortened by up to a half at random, and
    /// 10 attempts in a row.
    public static let envelope = ReconnectPolicy.exponential(Backoff(base: .seconds(5), cap: .seconds(300)))
}
