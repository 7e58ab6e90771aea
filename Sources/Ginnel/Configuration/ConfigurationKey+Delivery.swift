// Keys of what goes beyond one connection: connecting again, messages that are acknowledged, and what is done to the bytes.

internal import GinnelCore
internal import GinnelTransport

extension ConfigurationKey {
    static let batching: [ConfigurationKey] = [
        .time("batching.delay", .zero ... .seconds(60), service: \.batching.delay, client: \.batching.delay),
        .number("batching.messages", 1...1_000_000, service: \.batching.messages, client: \.batching.messages),
        .number("batching.bytes", 1...1 << 30, service: \.batching.bytes, client: \.batching.bytes),
    ]

    static let reconnection: [ConfigurationKey] = [
        ConfigurationKey(name: "reconnect.attempts", rule: .integer(1...1_000_000, orNull: true), standard: "none") { target, value in
            let attempts: Int? = if case .integer(let number) = value { number } else { nil }
            target.client.reconnect = .exponential(target.client.reconnect.backoff, attempts: attempts)
        },
        .time("reconnect.base", client: \.reconnect.backoff.base),
        .time("reconnect.cap", client: \.reconnect.backoff.cap),
        .number("reconnect.repeats", 0...1_000_000, client: \.repeats),
        ConfigurationKey(name: "circuitBreaker.failures", rule: .integer(1...1_000_000, orNull: true), standard: "null") { target, value in
            var policy: CircuitBreakerPolicy?
            if case .integer(let failures) = value {
                policy = target.client.circuitBreaker ?? .defaults
                policy?.failures = failures
            }
            target.client.circuitBreaker = policy
        },
        ConfigurationKey(
            name: "circuitBreaker.pause", rule: .duration(.milliseconds(1)...ConfigurationRule.forever), standard: "\"\(CircuitBreakerPolicy.defaults.pause.typed)\""
        ) { target, value in
            if case .duration(let pause) = value { target.client.circuitBreaker?.pause = pause }
        },
        ConfigurationKey(name: "circuitBreaker.successes", rule: .integer(1...1_000_000), standard: "\(CircuitBreakerPolicy.defaults.successes)") { target, value in
            if case .integer(let successes) = value { target.client.circuitBreaker?.successes = successes }
        },
    ]

    static let delivery: [ConfigurationKey] = [
        .number("inbox.senders", 1...1_000_000, service: \.inbox.senders, client: \.inbox.senders),
        .time("inbox.memory", service: \.inbox.memory, client: \.inbox.memory),
        .number("inbox.inHand", 1...1_000_000, service: \.inbox.inHand, client: \.inbox.inHand),
        .number("inbox.inHandPerUser", 1...1_000_000, service: \.inbox.inHandPerUser, client: \.inbox.inHandPerUser),
        .number("inbox.bytes", 65_536...1 << 40, service: \.inbox.bytes, client: \.inbox.bytes),
        .number("inbox.bytesPerUser", 65_536...1 << 40, service: \.inbox.bytesPerUser, client: \.inbox.bytesPerUser),
        .number("inbox.refusals", 0...1_000_000, service: \.inbox.refusals, client: \.inbox.refusals),
        .number("outbox.messages", 1...most, service: \.outbox.messages, client: \.outbox.limits.messages),
        .number("outbox.bytes", 1024...1 << 40, service: \.outbox.bytes, client: \.outbox.limits.bytes),
        ConfigurationKey(name: "outbox.overflow", rule: .choice(["wait", "refuse", "dropOldest"]), standard: "\"wait\"") { target, value in
            guard case .text(let text) = value else { return }
            let overflow: OutboxOverflow =
                switch text {
                case "refuse": .refuse
                case "dropOldest": .dropOldest
                default: .wait
                }
            target.service.outbox.overflow = overflow
            target.client.outbox.limits.overflow = overflow
        },
        .time("outbox.flushTimeout", .zero...ConfigurationRule.forever, client: \.outbox.flushTimeout),
        .number("outboxes.clients", 1...1_000_000, service: \.outboxes.clients),
        .time("outboxes.memory", service: \.outboxes.memory),
        .number("outboxes.bytes", 1024...1 << 40, service: \.outboxes.bytes),
        .number("outboxes.bytesPerUser", 1024...1 << 40, service: \.outboxes.bytesPerUser),
    ]

    static let privacy: [ConfigurationKey] = [
        // Read once, with the file: what it held then is what goes for every configuration that comes of it.
        ConfigurationKey(
            name: "encryption.keyFile", rule: .file, standard: "none",
            resolve: { value in
                guard case .text(let path) = value else { return value }
                return .encryption(try .keyFile(path))
            },
            apply: { target, value in
                guard case .encryption(let encryption) = value else { return }
                target.service.encryption = encryption
                target.client.encryption = encryption
            }),
        // In the order of a file's keys, which is that of their names, the key has come before.
        ConfigurationKey(name: "encryption.required", rule: .boolean, standard: "none") { target, value in
            guard case .boolean(let isRequired) = value else { return }
            guard target.service.encryption != nil else { throw GinnelError(.invalid, "it says so of the key of encryption.keyFile, which is missing") }
            target.service.encryption?.isRequired = isRequired
            target.client.encryption?.isRequired = isRequired
        },
        ConfigurationKey(name: "compression.threshold", rule: .integer(1...most, orNull: true), standard: "null") { target, value in
            guard case .integer(let threshold) = value else {
                target.service.compression = nil
                target.client.compression = nil
                return
            }
            target.service.compression = try .of(target.service.compression, from: threshold)
            target.client.compression = try .of(target.client.compression, from: threshold)
        },
    ]
}

extension Compression {
    /// The program's own, or the standard one, of payloads from so many bytes on.
    fileprivate static func of(_ own: Compression?, from threshold: Int) throws -> Compression {
        #if Compression
        var compression = own ?? .zstd()
        compression.threshold = threshold
        return compression
        #else
        throw GinnelError(.unsupported, "this build compresses nothing: build it with the package trait Compression, or leave out compression.threshold")
        #endif
    }
}
