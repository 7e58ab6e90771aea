// One place of an endpoint, examined: first the files, then who answers, then what it says. Each step needs the one before.

import Ginnel
import GinnelTransport

struct PlaceReport: Sendable {
    let report: EndpointReport
    private(set) var service: ServiceReport?
    private(set) var findings: [EndpointReport.Finding]

    /// A client that connects here is served.
    var isServing: Bool { service?.health != nil }

    init(_ place: EndpointPlace, _ expectation: Expectation) async {
        report = EndpointReport(inspecting: place, owner: expectation.owner)
        findings = report.findings
        guard report.answers else { return }
        do {
            let peer = try Self.peer(at: report.path)
            service = ServiceReport(peer: peer)
            guard isExpected(peer, expectation) else { return }
            try await shakeHands(expectation)
        } catch {
            findings.append(Self.finding(error, service))
        }
    }

    /// Who listens, as the kernel says; it notices a connection that ends at once.
    private static func peer(at path: String) throws -> PeerIdentity {
        let channel = try Connector.connectOnce(to: .path(path))
        defer { channel.close(drain: .zero) }
        return try channel.identify([.executable])
    }

    private mutating func isExpected(_ peer: PeerIdentity, _ expectation: Expectation) -> Bool {
        guard case .refused(let reason) = expectation.policy.verdict(on: peer, own: .own) else { return true }
        findings.append(
            .init(
                .problem, "a client refuses this service: \(reason)",
                remedy: "if that is whom to expect, say so: --expect \(peer.user.map(String.init) ?? "any") here, and the policy of the client's configuration in a program"))
        return false
    }

    /// As any client does, and with the two calls that every service answers.
    private mutating func shakeHands(_ expectation: Expectation) async throws {
        var configuration = ClientConfiguration.defaults
        configuration.policy = expectation.policy
        configuration.connectTimeout = .seconds(2)
        configuration.timeouts.handshake = .seconds(2)
        configuration.program = Version.program
        configuration.log = .off
        let (health, methods) = try await Client.connect(to: .path(report.path), configuration: configuration) { client in
            let health = try await client.call("ginnel.health", payload: [], deadline: .seconds(2))
            let description = try await client.call("ginnel.describe", payload: [], deadline: .seconds(2))
            return (try Health(decoding: health.bytes.span.bytes).status, try Description(decoding: description.bytes.span.bytes).methods.map(\.name))
        }
        service?.health = health
        service?.methods = methods
        if health != "serving" { findings.append(.init(.note, "the service says that it is \(health)", remedy: "wait for it to end, and start it again")) }
    }

    private static func finding(_ error: any Error, _ service: ServiceReport?) -> EndpointReport.Finding {
        let who = service?.process ?? "the service"
        if let error = error as? CallError {
            return .init(.problem, "\(who) accepts calls and does not answer them: \(error)", remedy: "look at that process; end it and start the service again if it hangs")
        }
        guard let error = error as? GinnelError else { return .init(.problem, "what \(who) answers makes no sense: \(error)", remedy: "see whether it is a Ginnel service at all") }
        switch error.failure?.code {
        case .peerRefused:
            return .init(
                .problem, "\(who) refuses us: its policy does not let this user or program in", remedy: "its own log has the reason; run as a user, or a program, that it accepts")
        case .handshakeTimeout:
            return .init(
                .problem, "\(who) accepts connections and says nothing: it hangs, is stopped, or speaks something else",
                remedy: "look at that process; end it and start the service again if it hangs")
        case .tooManyConnections:
            return .init(.problem, "\(who) has as many connections as it takes", remedy: "see who holds them, or raise its limit (connections.maximum)")
        case .shuttingDown: return .init(.problem, "\(who) is stopping", remedy: "wait for it to end, and start it again")
        case .versionUnsupported: return .init(.problem, "\(who) speaks another version of the protocol: \(error.sentence)", remedy: "use programs of the same version")
        default:
            return .init(
                .problem, "\(who) does not shake hands as a Ginnel service does: \(error.detail)",
                remedy: "see what it is: another program, or a service that speaks another format")
        }
    }

    /// What was seen, named, for people.
    var facts: [(String, String)] {
        func text(_ entry: EndpointReport.Entry) -> String { "owner \(entry.owner), mode \(EndpointReport.octal(entry.mode))\(entry.isLink ? ", a link" : "")" }
        var facts: [(String, String)] = []
        if let directory = report.directory { facts.append(("directory", text(directory))) }
        if let socket = report.socket { facts.append(("socket", text(socket))) }
        if let lock = report.lock {
            let holder = report.lockHeld ? "held by \(report.lockHolder == 0 ? "somebody" : "process \(report.lockHolder)")" : "not seen to be held"
            facts.append(("lock", "\(text(lock)), \(holder)"))
        }
        if let service { facts.append(("service", service.summary)) }
        if let methods = service?.methods { facts.append(("methods", methods.isEmpty ? "none" : methods.joined(separator: ", ").harmless)) }
        return facts
    }
}

/// Who answers at a place, and what it says of itself.
struct ServiceReport: Sendable {
    let peer: PeerIdentity
    /// `nil` until it has said so.
    var health: String?
    var methods: [String]?

    init(peer: PeerIdentity) { self.peer = peer }

    var process: String? { peer.process.map { "process \($0)" } }

    var summary: String {
        let parts = [process, peer.user.map { "user \($0)" }, peer.executable.map { $0.harmless }, health.map { $0.harmless }]
        return parts.compactMap(\.self).joined(separator: ", ")
    }

    var description: JSONTree {
        [
            "process": peer.process.map { .integer(Int($0)) } ?? .null, "user": peer.user.map { .integer(Int($0)) } ?? .null, "executable": .string(peer.executable),
            "health": .string(health), "methods": methods.map { .array($0.map { .text($0) }) } ?? .null,
        ]
    }
}
