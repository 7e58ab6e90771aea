// Which machinery moves the bytes. It changes nothing on the wire, so that two programs need not have the same, and one may go back to the other at any time.

internal import GinnelCore

/// How channels are driven.
public enum Engine: String, Sendable, CaseIterable {
    /// Event loops over the system's poller: few threads for many connections.
    case reactor
    /// A thread that blocks for each connection.
    case threads

    /// Those that this build has.
    public static let available: Set<Engine> = [.reactor]

    /// The name of the variable that chooses one, before any configuration.
    public static let variable = "GINNEL_ENGINE"

    /// The one that `GINNEL_ENGINE` names, or else the configured one, or else `.reactor`.
    ///
    /// - Throws: `GinnelError`: `invalid` for a name that is none, `unsupported` for one that this build does not have.
    public static func chosen(configured: Engine? = nil) throws -> Engine {
        try chosen(configured: configured, variable: System.environment(variable))
    }

    package static func chosen(configured: Engine?, variable value: String?) throws -> Engine {
        guard let value, !value.isEmpty else { return try (configured ?? .reactor).checked() }
        guard let engine = Engine(rawValue: value) else {
            throw GinnelError(.invalid, "\(variable) is \(value.printable); the engines are \(allCases.map(\.rawValue).joined(separator: " and "))")
        }
        return try engine.checked()
    }

    /// Itself, if this build has it.
    package func checked() throws -> Engine {
        if Self.available.contains(self) { return self }
        throw GinnelError(.unsupported, "this build has no \(rawValue) engine, only \(Self.available.map(\.rawValue).sorted().joined(separator: " and "))")
    }
}
