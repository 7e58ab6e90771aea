// Where the demo takes place: its directories, its service, and the way to tidy up.

import Foundation
import Ginnel
import GinnelTransport

final class Stage: Sendable {
    /// Who tries to get in although it should not.
    enum Stranger: Sendable {
        /// Another user, which only root can play.
        case user(UInt32)
        /// A copy of this program under another name.
        case program
    }

    static let nobody: UInt32 = 65_534

    /// Fresh, and closed to others.
    let directory: String
    /// Where the service listens for its own user.
    var path: String { directory + "/demo.sock" }
    /// Where its second door is: for a stranger who is another user, in a directory that others can reach.
    let openPath: String
    private let openDirectory: String
    let stranger: Stranger
    private let running = Guarded(Child?.none)

    init() async throws {
        let temporary = FileManager.default.temporaryDirectory.resolvingSymlinksInPath().path
        let mark = String(UInt32.random(in: .min ... .max), radix: 16)
        directory = "\(temporary)/ginnel-demo-\(mark)"
        try Self.make(directory, mode: 0o700)
        if Self.othersCanReach(temporary), await Self.canBecome(Self.nobody) {
            stranger = .user(Self.nobody)
            openDirectory = "\(temporary)/ginnel-demo-\(mark)-open"
            try Self.make(openDirectory, mode: 0o755)
        } else {
            stranger = .program
            openDirectory = directory
        }
        openPath = openDirectory + "/open.sock"
    }

    private static func make(_ path: String, mode: Int) throws {
        let manager = FileManager.default
        try manager.createDirectory(atPath: path, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
        try manager.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
    }

    /// Root may be another user, but not everywhere that it is called root.
    private static func canBecome(_ user: UInt32) async -> Bool {
        guard PeerIdentity.own.user == 0, let child = try? Child(["version", "--json", "--become", "\(user)"]) else { return false }
        return await child.status(within: .seconds(5)) == 0
    }

    private static func othersCanReach(_ path: String) -> Bool {
        var url = URL(fileURLWithPath: path)
        while true {
            let mode = try? FileManager.default.attributesOfItem(atPath: url.path)[.posixPermissions] as? Int
            guard let mode, mode & 0o001 != 0 else { return false }
            if url.path == "/" { return true }
            url.deleteLastPathComponent()
        }
    }

    // MARK: The service

    var endpoint: Endpoint { .path(path) }
    var service: Child? { running.withLock { $0 } }

    /// Starts the service and waits until it answers.
    func startService() async throws -> Child {
        var arguments = ["demo-service", path, openPath]
        if case .program = stranger { arguments.append(try Child.ownProgram()) }
        let child = try Child(arguments)
        running.withLock { $0 = child }
        try await Client.wait(for: endpoint, timeout: .seconds(5), interval: .milliseconds(2))
        return child
    }

    /// A connected client of the service.
    func connected<Result: Sendable>(_ body: @concurrent @escaping @Sendable (Client) async throws -> Result) async throws -> Result {
        try await Client.connect(to: endpoint, configuration: Self.configuration, body)
    }

    static var configuration: ClientConfiguration {
        var configuration = ClientConfiguration.defaults
        configuration.log = .off
        return configuration
    }

    /// Ends the service and removes everything.
    func clear() async {
        await service?.end()
        for directory in Set([directory, openDirectory]) { try? FileManager.default.removeItem(atPath: directory) }
    }
}
