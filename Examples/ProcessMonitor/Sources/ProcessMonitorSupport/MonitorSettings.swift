// What an operator sets, under the names that the process monitor's configuration has had all along: `ginnel.json` knows them (docs/configuration.md). Both programs
// read the same file, the one that GINNEL_CONFIG names; what it does not say has the monitor's own defaults.

public import Ginnel
import ProcessMonitorMessages

public struct MonitorSettings: Sendable {
    /// Where the monitor listens: `ipc.endpoint_path`. Default: this user's `procmond`.
    public var endpoint: Endpoint
    /// `ipc.max_connections` (16), `ipc.read_timeout_ms` (30 s), `ipc.write_timeout_ms` (10 s), `ipc.max_frame_bytes` (1 MiB).
    public var service: ServiceConfiguration
    /// `ipc.accept_timeout_ms` (5 s), which has always been the time for connecting, and the same times and limits.
    public var client: ClientConfiguration
    /// How long a task may take: `ipc.read_timeout_ms`, as it has always been, and so may a connection be idle.
    public var taskTimeout: Duration
    /// `ipc.crc32_variant`, IEEE unless the file says otherwise.
    public var checksum: Checksum
    /// With this checksum.
    public var format: WireFormat

    public init(_ file: ConfigurationFile) {
        var service = ServiceConfiguration.defaults
        service.connections.maximum = 16
        service.program = "procmond 1.0"
        service = file.service(service)
        service.timeouts.idle = service.timeouts.readMidMessage
        var client = ClientConfiguration.defaults
        client.connectTimeout = .seconds(5)
        client = file.client(client)
        taskTimeout = service.timeouts.readMidMessage
        let limit = service.limits.announced.maximumMessage
        checksum = file.checksum ?? .ieee
        format = .checksummed(checksum: checksum, maximumMessage: limit, handlerTimeout: taskTimeout, failures: DetectionResult.failures)
        client.format = format
        endpoint = file.endpoint ?? .named("procmond")
        self.service = service
        self.client = client
    }

    public static func read() throws -> MonitorSettings { MonitorSettings(try ConfigurationFile.fromEnvironment() ?? .empty) }
}

extension Engine {
    /// What `ipc.transport` calls it. "legacy" is the way back when something is wrong with the other; nothing changes on the wire.
    public var transport: String { self == .threads ? "legacy" : "interprocess" }
}
