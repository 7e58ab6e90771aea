// The table of keys. A key, what it may hold, its default and where it goes stand in one line, and docs/configuration.md is tested against them.

internal import GinnelCore
internal import GinnelTransport

/// What a file configures.
struct ConfigurationTarget: Sendable {
    var service = ServiceConfiguration.defaults
    var client = ClientConfiguration.defaults
    var endpoint: Endpoint?
    var transports: Set<Transport>?
    var engine: Engine?
    var checksum: Checksum?
}

struct ConfigurationKey: Sendable {
    /// The path in the file, its parts separated by dots.
    let name: String
    let rule: ConfigurationRule
    /// As it would stand in a file.
    let standard: String
    /// The name that another system has for it, with the rule of that system.
    private(set) var alias: (name: String, rule: ConfigurationRule)?
    /// Looks, once, for what the value only names. Throws a sentence that says what is wrong with that.
    private(set) var resolve: @Sendable (ConfigurationValue) throws -> ConfigurationValue = { $0 }
    /// Puts a value in its place. Throws a sentence that says why this build cannot do with it, where the rule allows it.
    let apply: @Sendable (inout ConfigurationTarget, ConfigurationValue) throws -> Void

    init(
        name: String, rule: ConfigurationRule, standard: String, resolve: @escaping @Sendable (ConfigurationValue) throws -> ConfigurationValue = { $0 },
        apply: @escaping @Sendable (inout ConfigurationTarget, ConfigurationValue) throws -> Void
    ) {
        self.name = name
        self.rule = rule
        self.standard = standard
        self.resolve = resolve
        self.apply = apply
    }

    /// The same, known by another name too.
    func known(as name: String, _ rule: ConfigurationRule? = nil) -> ConfigurationKey {
        var key = self
        key.alias = (name, rule ?? self.rule)
        return key
    }

    // MARK: Kinds

    // Key paths of stored properties hold nothing that could change, and may be used on any thread (`nonisolated(unsafe)`).

    static func number(
        _ name: String, _ range: ClosedRange<Int>, service: WritableKeyPath<ServiceConfiguration, Int>? = nil, client: WritableKeyPath<ClientConfiguration, Int>? = nil
    ) -> ConfigurationKey {
        nonisolated(unsafe) let (service, client) = (service, client)
        let standard = service.map { ServiceConfiguration.defaults[keyPath: $0] } ?? client.map { ClientConfiguration.defaults[keyPath: $0] } ?? 0
        return ConfigurationKey(name: name, rule: .integer(range), standard: "\(standard)") { target, value in
            guard case .integer(let number) = value else { return }
            if let service { target.service[keyPath: service] = number }
            if let client { target.client[keyPath: client] = number }
        }
    }

    static func time(
        _ name: String, _ range: ClosedRange<Duration> = .milliseconds(1)...ConfigurationRule.forever, service: WritableKeyPath<ServiceConfiguration, Duration>? = nil,
        client: WritableKeyPath<ClientConfiguration, Duration>? = nil
    ) -> ConfigurationKey {
        nonisolated(unsafe) let (service, client) = (service, client)
        let standard = service.map { ServiceConfiguration.defaults[keyPath: $0] } ?? client.map { ClientConfiguration.defaults[keyPath: $0] } ?? .zero
        return ConfigurationKey(name: name, rule: .duration(range), standard: "\"\(standard.typed)\"") { target, value in
            guard case .duration(let duration) = value else { return }
            if let service { target.service[keyPath: service] = duration }
            if let client { target.client[keyPath: client] = duration }
        }
    }

    /// A time that may be none.
    static func optionalTime(
        _ name: String, service: WritableKeyPath<ServiceConfiguration, Duration?>, client: WritableKeyPath<ClientConfiguration, Duration?>
    ) -> ConfigurationKey {
        nonisolated(unsafe) let (service, client) = (service, client)
        let standard = ServiceConfiguration.defaults[keyPath: service].map { "\"\($0.typed)\"" } ?? "null"
        return ConfigurationKey(name: name, rule: .duration(.milliseconds(1)...ConfigurationRule.forever, orNull: true), standard: standard) { target, value in
            let duration: Duration? = if case .duration(let duration) = value { duration } else { nil }
            target.service[keyPath: service] = duration
            target.client[keyPath: client] = duration
        }
    }

    /// Something of the loops, on both sides.
    static func loops(
        _ name: String, _ rule: ConfigurationRule, standard: String, _ apply: @escaping @Sendable (inout LoopConfiguration, ConfigurationValue) -> Void
    ) -> ConfigurationKey {
        ConfigurationKey(name: name, rule: rule, standard: standard) { target, value in
            apply(&target.service.loops, value)
            guard case .own(var loops) = target.client.loop else { return }
            apply(&loops, value)
            target.client.loop = .own(loops)
        }
    }
}
