// Which threads wait for connections, and for how many each: the choice, and where it comes from.
//
// One driver, one channel contract and one protocol stand above both, so that the two sides of a connection need not agree and nobody who is connected can tell. What differs
// is below: how a thread waits (`gn_poller_kind`), and for what.

internal import CGinnelPlatform
internal import GinnelCore

/// How connections are waited for.
public enum Engine: String, Sendable, Hashable, CaseIterable {
    /// Event loops: a few threads, each of which waits for many connections. The default.
    case reactor
    /// A thread for each connection, which waits for that one alone and stays out of the way of all others. Slower with many connections, and simpler: no readiness is kept by the
    /// kernel, no loop is shared, nothing polls. The way back when something is wrong with the loops.
    ///
    /// A thread costs what it touches of 4 MiB of address space for its stack, some 60 KiB of memory for a connection that is idle, the kernel's part included, and two descriptors.
    case threads

    /// The variable that goes before every configuration.
    public static let variable = "GINNEL_ENGINE"

    /// The engine of this name; `nil` when there is none.
    public init?(name: String) { self.init(rawValue: name) }

    /// Its name in configurations, logs and metrics.
    public var name: String { rawValue }

    /// The one that `GINNEL_ENGINE` names, or else the configured one, or else `.reactor`: who runs a program has the last word, so that it can be taken back to the other engine without
    /// being changed. A variable without a value counts as none.
    ///
    /// - Throws: `GinnelError` with `invalid` when the variable names no engine.
    public static func chosen(configured: Engine? = nil) throws(GinnelError) -> Engine {
        try chosen(configured: configured, variable: System.environment(variable))
    }

    package static func chosen(configured: Engine?, variable value: String?) throws(GinnelError) -> Engine {
        guard let value, !value.isEmpty else { return configured ?? .reactor }
        if let engine = Engine(name: value) { return engine }
        let allowed = allCases.map(\.name).joined(separator: " and ")
        throw GinnelError(.invalid, "the environment variable \(variable) is \(value.printable); allowed are \(allowed)")
    }

    // MARK: What it means for a loop

    var pollerKind: gn_poller_kind {
        switch self {
        case .reactor: GN_POLLER_QUEUE
        case .threads: GN_POLLER_SCAN
        }
    }

    /// Bytes of a thread's stack. How deep a decoder goes is for peers to choose: Foundation follows JSON for 512 levels, which takes more than 1 MiB in a program that is not
    /// optimised, and systems give threads as little as 512 KiB.
    var stackSize: Int {
        switch self {
        case .reactor: 8 << 20
        case .threads: 4 << 20
        }
    }

    /// What one read takes at most. There is one such buffer a thread.
    var readSize: Int {
        switch self {
        case .reactor: 256 * 1024
        case .threads: 64 * 1024
        }
    }

    /// Descriptors that a connection takes beside its channel's own.
    package var descriptorsOfConnection: Int {
        switch self {
        case .reactor: 0
        case .threads: gn_poller_descriptors(pollerKind)
        }
    }
}
