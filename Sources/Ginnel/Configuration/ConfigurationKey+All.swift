// The keys that there are. The names of the third column of docs/configuration.md are those of another system's configuration, kept so that its files go on to mean what they meant.

internal import GinnelCore
internal import GinnelTransport

extension ConfigurationKey {
    static let all: [ConfigurationKey] = place + connections + limits + timeouts + memory + batching + reconnection + delivery + privacy

    static let most = Int(Int32.max)

    private static let place: [ConfigurationKey] = [
        ConfigurationKey(name: "endpoint", rule: .endpoint, standard: "none") { target, value in
            if case .text(let text) = value { target.endpoint = Endpoint(text) }
        }.known(as: "ipc.endpoint_path"),
        ConfigurationKey(name: "transports", rule: .choices(["socket", "sharedMemory"]), standard: "none") { target, value in
            guard case .texts(let texts) = value else { return }
            let transports = Set(texts.compactMap { Transport(rawValue: $0) })
            target.transports = transports
            target.client.transports = transports
        },
        ConfigurationKey(name: "engine", rule: .choice(["reactor", "threads"]), standard: "\"reactor\"") { target, value in
            guard case .text(let text) = value else { return }
            let engine = Engine(name: text) ?? engineElsewhere[text] ?? .reactor
            target.engine = engine
            target.service.engine = engine
            target.client.engine = engine
        }.known(as: "ipc.transport", .choice(["interprocess", "legacy"])),
        ConfigurationKey(name: "checksum", rule: .choice(["none", "castagnoli", "ieee"]), standard: "\"none\"") { target, value in
            guard case .text(let text) = value else { return }
            target.checksum = ["ieee": .ieee, "castagnoli": .castagnoli][text.lowercased()]
            // ginnel/1 knows one polynomial, and is no worse off without the other.
            target.service.checksums = target.checksum == .castagnoli
            target.client.checksums = target.checksum == .castagnoli
        }.known(as: "ipc.crc32_variant", .choice(["Castagnoli", "Ieee"])),
    ]

    /// What the other system calls its two transports, which differ as our engines do.
    private static let engineElsewhere: [String: Engine] = ["interprocess": .reactor, "legacy": .threads]

    private static let connections: [ConfigurationKey] = [
        .number("connections.maximum", 1...1_000_000, service: \.connections.maximum).known(as: "ipc.max_connections"),
        .number("connections.perUser", 1...1_000_000, service: \.connections.perUser),
        .number("connections.acceptedPerSecond", 1...1_000_000, service: \.connections.acceptedPerSecond),
        .number("connections.bufferedBytesPerUser", 65_536...1 << 40, service: \.connections.bufferedBytesPerUser),
        .number("connections.requestBytesPerUser", 65_536...1 << 40, service: \.connections.requestBytesPerUser),
    ]

    private static let limits: [ConfigurationKey] = [
        .number("limits.maximumMessage", 1024...most, service: \.limits.announced.maximumMessage, client: \.limits.announced.maximumMessage).known(as: "ipc.max_frame_bytes"),
        .number("limits.callsInFlight", 0...most, service: \.limits.announced.callsInFlight, client: \.limits.announced.callsInFlight),
        .number("limits.requestWindow", 1024...most, service: \.limits.announced.requestWindow, client: \.limits.announced.requestWindow),
        .number("limits.itemWindow", 1...most, service: \.limits.announced.itemWindow, client: \.limits.announced.itemWindow),
        .number("limits.bufferedBytes", 65_536...1 << 40, service: \.limits.bufferedBytes, client: \.limits.bufferedBytes),
        .number("limits.controlBytes", 4096...1 << 40, service: \.limits.controlBytes, client: \.limits.controlBytes),
        .number("limits.eventBytes", 1024...1 << 40, service: \.limits.eventBytes, client: \.limits.eventBytes),
        ConfigurationKey(name: "limits.eventOverflow", rule: .choice(["dropOldest", "close"]), standard: "\"dropOldest\"") { target, value in
            guard case .text(let text) = value else { return }
            target.service.limits.eventOverflow = text == "close" ? .close : .dropOldest
            target.client.limits.eventOverflow = text == "close" ? .close : .dropOldest
        },
        .number("limits.waitingCalls", 0...most, service: \.limits.waitingCalls, client: \.limits.waitingCalls),
    ]

    private static let elsewhere = ConfigurationRule.milliseconds(1...31_536_000_000)

    private static let timeouts: [ConfigurationKey] = [
        .time("timeouts.connect", client: \.connectTimeout).known(as: "ipc.accept_timeout_ms", elsewhere),
        .time("timeouts.handshake", service: \.timeouts.handshake, client: \.timeouts.handshake),
        .time("timeouts.readMidMessage", service: \.timeouts.readMidMessage, client: \.timeouts.readMidMessage).known(as: "ipc.read_timeout_ms", elsewhere),
        .time("timeouts.write", service: \.timeouts.write, client: \.timeouts.write).known(as: "ipc.write_timeout_ms", elsewhere),
        .optionalTime("timeouts.idle", service: \.timeouts.idle, client: \.timeouts.idle),
        .optionalTime("timeouts.heartbeat", service: \.timeouts.heartbeat, client: \.timeouts.heartbeat),
        .time("timeouts.start", client: \.startTimeout),
        .time("timeouts.shutdown", .zero...ConfigurationRule.forever, service: \.shutdownTimeout),
    ]

    private static let memory: [ConfigurationKey] = [
        .number("sharedMemory.ringBytes", 4096...1 << 30, service: \.sharedMemory.ringBytes, client: \.sharedMemory.ringBytes),
        .number("sharedMemory.maximumRingBytes", 4096...1 << 30, service: \.sharedMemory.maximumRingBytes, client: \.sharedMemory.maximumRingBytes),
        .loops("loops.count", .integer(1...1024, orNull: true), standard: "null") { loops, value in
            if case .integer(let count) = value { loops.count = count } else { loops.count = nil }
        },
        .loops("loops.polling", .duration(.zero ... .seconds(1)), standard: "\"\(LoopConfiguration.defaults.polling.typed)\"") { loops, value in
            if case .duration(let duration) = value { loops.polling = duration }
        },
        .loops("loops.reportAfter", .duration(.milliseconds(1)...ConfigurationRule.forever), standard: "\"\(LoopConfiguration.defaults.reportAfter.typed)\"") { loops, value in
            if case .duration(let duration) = value { loops.reportAfter = duration }
        },
    ]
}
