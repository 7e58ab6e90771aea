// Other users: who may reach a service, whom it knows, and whom a client trusts. Other users take root to play.

import Foundation
import Ginnel
import GinnelTesting
import GinnelTransport
import Testing

@Suite(.serialized, .ownThread, .timeLimit(.minutes(5)), .enabled(if: Child.isRoot, "plays other users, which only root can")) struct UserTests {
    private static let first = 12_001
    private static let second = 12_002

    /// A service of root in this process, whose directory others may look into.
    private static func withSharedService(
        access: Access, policy: PeerPolicy? = nil, _ body: (Running) async throws -> Void
    ) async throws {
        try await withDirectory { directory in
            chmod(directory, 0o755)
            let log = LogRecorder()
            var configuration = ServiceConfiguration.defaults
            configuration.log = log.log
            let service = Service(at: .path(directory + "/s"), access: access, policy: policy, configuration: configuration)
            service.handle("echo") { bytes, _ in bytes.copied() }
            try await withRunning(Running(service: service, path: directory + "/s", log: log), body)
        }
    }

    @Test func `a system service of root serves two other users and knows each`() async throws {
        let name = uniqueName()
        defer { try? FileManager.default.removeItem(atPath: "/run/\(name)") }
        let log = LogRecorder()
        var configuration = ServiceConfiguration.defaults
        configuration.log = log.log
        let service = Service(at: .system(name), access: .anyLocalUser, configuration: configuration)
        service.handle("who") { _, context in Array("\(context.peer.user!) \(context.peer.process!)".utf8) }
        service.handle("first only", allowing: .users([UInt32(Self.first)])) { _, _ in [] }
        try await withRunning(Running(service: service, path: "/run/\(name)/service.sock", log: log)) { _ in
            #expect(FileManager.default.mode(of: "/run/\(name)") == 0o755)
            #expect(FileManager.default.mode(of: "/run/\(name)/service.sock") == 0o666)
            let one = try Child(["call", "--endpoint", "system:\(name)", "--user", "\(Self.first)"])
            let two = try Child(["call", "--endpoint", "system:\(name)", "--user", "\(Self.second)"])
            try await one.line("connected")
            try await two.line("connected")
            #expect(try await one.ask("call who") == "reply \(Self.first) \(one.id)")
            #expect(try await two.ask("call who") == "reply \(Self.second) \(two.id)")
            #expect(Set(service.connections.compactMap(\.peer.user)) == [UInt32(Self.first), UInt32(Self.second)])
            try one.tell("call first")
            #expect(try await two.ask("call first") == "error unknownMethod")
            try one.tell("leave")
            try await one.line("over")
            #expect(try await two.ask("call who") == "reply \(Self.second) \(two.id)")
        }
    }

    @Test func `another user cannot reach the endpoint of this one`() async throws {
        try await Self.withSharedService(access: .currentUser) { running in
            let stranger = try Child(["call", "--endpoint", running.path, "--user", "\(Self.first)", "--policy", "any"])
            try await stranger.line("refused denied")
            try await running.connect { try await $0.checkIsServed() }
        }
    }

    @Test func `another user cannot reach a named endpoint of this one`() async throws {
        let name = uniqueName()
        let log = LogRecorder()
        var configuration = ServiceConfiguration.defaults
        configuration.log = log.log
        try await withService(makeService(at: .named(name), configuration: configuration)) {
            let path = try #require(try await log.entry("listening").metadata["path"])
            defer { try? FileManager.default.removeItem(atPath: URL(fileURLWithPath: path).deletingLastPathComponent().path) }
            #expect(FileManager.default.mode(of: path) == 0o600)
            let stranger = try Child(["call", "--endpoint", path, "--user", "\(Self.first)", "--policy", "any"])
            try await stranger.line("refused denied")
            // By its name a user finds its own services alone.
            let elsewhere = try Child(["call", "--endpoint", name, "--user", "\(Self.first)", "--policy", "any"])
            try await elsewhere.line("refused notFound")
        }
    }

    @Test func `where files let another user in, the policy does not`() async throws {
        try await Self.withSharedService(access: .anyLocalUser, policy: .sameUser) { running in
            let stranger = try Child(["call", "--endpoint", running.path, "--user", "\(Self.first)", "--policy", "any"])
            try await stranger.line("refused refused peerRefused")
            try await running.log.entry("a peer was refused", "the peer is user \(Self.first), this process user 0")
        }
    }

    @Test func `root is not the same user as anyone else`() async throws {
        try await withDirectory { directory in
            chown(directory, UInt32(Self.first), UInt32(Self.first))
            let theirs = try Child(["serve", "--endpoint", directory + "/s", "--user", "\(Self.first)"])
            try await theirs.line("listening")
            // The client asks first.
            let cautious = try await errorOf(GinnelError.self) { try await Client.connect(to: .path(directory + "/s")) { _ in } }
            #expect(cautious.code == .refused)
            #expect(cautious.peer?.user == UInt32(Self.first))
            #expect(cautious.sentence.contains("the peer is user \(Self.first)"))
            // And the service has its own opinion.
            var trusting = ClientConfiguration.defaults
            trusting.policy = .users([UInt32(Self.first)])
            let refused = try await errorOf(GinnelError.self) { try await Client.connect(to: .path(directory + "/s"), configuration: trusting) { _ in } }
            #expect(refused.failure?.code == .peerRefused)
            try await theirs.line("log warning a peer was refused")
        }
    }

    @Test(arguments: [("same", 0, first), ("same", first, second), ("same", first, 0), ("system", first, 0), ("system", first, second)])
    func `a client refuses a squatter before it has sent a byte`(policy: String, squatter: Int, client: Int) async throws {
        try await withDirectory { directory in
            chmod(directory, 0o777)
            let path = directory + "/s"
            let thief = try Child(["squat", "--endpoint", path, "--user", "\(squatter)"])
            try await thief.line("squatting")
            let victim = try Child(["call", "--endpoint", path, "--policy", policy, "--user", "\(client)"])
            try await victim.line("refused refused")
            try await thief.line("read 0")
        }
    }
}

extension FileManager {
    /// Permission bits.
    func mode(of path: String) -> Int? { (try? attributesOfItem(atPath: path)[.posixPermissions]) as? Int }
}
