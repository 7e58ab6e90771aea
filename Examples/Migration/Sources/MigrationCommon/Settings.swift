// How service and agents speak: the numbers of the system, or quick ones for a demonstration.

public import Ginnel

public struct Settings: Sendable {
    /// 5 s, doubled, 5 minutes at most, 10 attempts.
    public var reconnect = ReconnectPolicy.envelope
    /// 30 s for a heartbeat; two of them without a word, and a side is given up.
    public var timeouts = SessionTimeouts.defaults
    public var connectTimeout: Duration = .seconds(30)

    /// `--quick 1` on the command line: everything that waits waits less.
    public init(_ options: Options) {
        guard options["quick"] != nil else { return }
        reconnect = .exponential(Backoff(base: .milliseconds(50), cap: .milliseconds(500)), attempts: 60)
        timeouts.heartbeat = .seconds(2)
    }

    /// `--at NAME` or `--at PATH` for a service of the system, for the agents of all users; `--path PATH` for one of this user.
    public static func endpoint(_ options: Options) -> Endpoint {
        guard let place = options["at"] else { return .path(options.needed("path")) }
        return place.hasPrefix("/") ? .path(place) : .system(place)
    }
}
