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
        let memories = Guarded(EnvelopeMemories())
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
                let user = OutputOwner(ingredients.peer)
                configuration.memory = UserMemory(memories: memories, user: user)
                if let accounts = ingredients.requests { configuration.requests = UserRequests(accounts: accounts, user: user) }
                configuration.limits = ingredients.limits
                configuration.timeouts = ingredients.timeouts
                return EnvelopeSession(role: ingredients.role, configuration)
            },
            refusal: { EnvelopeSession.refusal($0) })
    }
}

/// The ids that all connections of one user have seen, for one of them.
private final class UserMemory: EnvelopeRecall {
    private let memories: Guarded<EnvelopeMemories>
    private let user: OutputOwner

    init(memories: Guarded<EnvelopeMemories>, user: OutputOwner) {
        self.memories = memories
        self.user = user
    }

    func took(_ id: Identity) -> EnvelopeMemory.Finding { with { $0.took(id) } }
    func answered(_ id: Identity, _ answer: EnvelopeMemory.Answer) { with { $0.answered(id, answer) } }
    func forgot(_ id: Identity) { with { $0.forgot(id) } }
    func finding(_ id: Identity) -> EnvelopeMemory.Finding { with { $0.finding(id) } }

    private func with<Result>(_ body: (inout EnvelopeMemory) -> Result) -> Result { memories.withLock { $0.with(user, body) } }
}

/// What is in hand for one user, for one of its connections.
private final class UserRequests: RequestBudget {
    private let accounts: Guarded<RequestAccounts>
    private let user: OutputOwner

    init(accounts: Guarded<RequestAccounts>, user: OutputOwner) {
        self.accounts = accounts
        self.user = user
    }

    func begin(_ bytes: Int) -> Failure? { accounts.withLock { $0.begin(bytes, of: user) } }
    func end(_ bytes: Int) { accounts.withLock { $0.end(bytes, of: user) } }
}

extension ReconnectPolicy {
    /// What the agents of the envelope format do: 5 s after the first failure, twice as long after each further one, 5 minutes at most, each delay shortened by up to a half at random, and
    /// 10 attempts in a row.
    public static let envelope = ReconnectPolicy.exponential(Backoff(base: .seconds(5), cap: .seconds(300)))
}
