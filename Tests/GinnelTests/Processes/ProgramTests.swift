// Other programs: a second executable under policies about programs, children, inherited descriptors, a service manager.

import Foundation
import Ginnel
import GinnelTesting
import GinnelTransport
import Testing

@Suite(.serialized, .ownThread, .timeLimit(.minutes(5))) struct ProgramTests {
    /// A copy of TestPeer; with `mark` another program by its bytes, that does the same.
    ///
    /// Made by another process: a file that this one has open for writing cannot be run while any child, just forked, has not let go of it.
    private static func copy(to path: String, mark: Bool = false) async throws {
        try FileManager.default.createDirectory(atPath: URL(fileURLWithPath: path).deletingLastPathComponent().path, withIntermediateDirectories: true)
        let script = "cp '\(Child.program)' '\(path)'" + (mark ? " && printf x >> '\(path)'" : "")
        let shell = try Child(["-c", script], program: "/bin/sh")
        #expect(try await shell.status() == 0)
    }

    /// The program connects, and says this.
    private static func expect(_ program: String, at path: String, _ outcome: String) async throws {
        let child = try Child(["call", "--endpoint", path], program: program)
        try await child.lines.wait { !$0.isEmpty }
        #expect(child.lines.all[0].hasPrefix(outcome))
    }

    /// A service that takes its time: the digest of a program that was not optimised is the work of seconds when everything runs at once.
    private static var patient: ServiceConfiguration {
        var configuration = ServiceConfiguration()
        configuration.timeouts.handshake = .seconds(60)
        return configuration
    }

    @Test func `programs of another name or place are refused`() async throws {
        try await withDirectory { directory in
            try await Self.copy(to: directory + "/Impostor")
            try await Self.copy(to: directory + "/elsewhere/TestPeer")
            try await withRunning(policy: .executables(named: ["TestPeer"], in: [Child.directory])) { running in
                try await Self.expect(Child.program, at: running.path, "connected")
                try await Self.expect(directory + "/Impostor", at: running.path, "refused refused peerRefused")
                try await running.log.entry("a peer was refused", "\(directory)/Impostor", "name")
                try await Self.expect(Child.program, at: running.path, "connected")
            }
            try await withRunning(policy: .executables(named: ["TestPeer"], in: [Child.directory])) { running in
                try await Self.expect(directory + "/elsewhere/TestPeer", at: running.path, "refused refused peerRefused")
                try await running.log.entry("a peer was refused", "elsewhere", "directory")
            }
            try await withRunning(policy: .sameDirectoryAsSelf) { running in
                try await Self.expect(Child.program, at: running.path, "connected")
                try await Self.expect(directory + "/elsewhere/TestPeer", at: running.path, "refused refused peerRefused")
            }
        }
    }

    @Test func `a program with other bytes is refused, wherever it lies`() async throws {
        try await withDirectory { directory in
            try await Self.copy(to: directory + "/same/TestPeer")
            try await Self.copy(to: directory + "/other/TestPeer", mark: true)
            let digest = try ContentDigest(ofFile: Child.program).hexadecimal
            try await withRunning(Self.patient, policy: .sha256([digest])) { running in
                try await Self.expect(Child.program, at: running.path, "connected")
                try await Self.expect(directory + "/same/TestPeer", at: running.path, "connected")
                try await Self.expect(directory + "/other/TestPeer", at: running.path, "refused refused peerRefused")
                try await running.log.entry("a peer was refused", "SHA-256")
            }
        }
    }

    @Test func `a program whose file was replaced while it ran is refused by its path`() async throws {
        try await withDirectory { directory in
            let program = directory + "/TestPeer"
            try await Self.copy(to: program)
            try await withRunning(policy: .executables(named: ["TestPeer"], in: [directory])) { running in
                let listener = try RawListener(at: directory + "/first")
                // It has begun to run before its file goes, and meets our service after.
                let child = try Child(["call", "--endpoint", directory + "/first"], program: program)
                let gate = try await listener.accept()
                try FileManager.default.removeItem(atPath: program)
                try FileManager.default.createSymbolicLink(atPath: program, withDestinationPath: Child.program)
                gate.close()
                try await child.line("refused closed")
                try await Self.expect(program, at: running.path, "refused refused peerRefused")
                try await running.log.entry("a peer was refused")
            }
        }
    }

    // MARK: Children

    @Test func `a client of a child over an inherited pair trusts whom it has started`() async throws {
        let (ours, theirs) = try PlatformChannel.pair()
        let descriptor = theirs.release()!
        let child = try Child(["serve", "--endpoint", "inherited:3"], inheriting: [descriptor])
        close(Int32(descriptor))
        var configuration = ClientConfiguration.defaults
        configuration.policy = .spawnedByUs
        try await Client.connect(to: .inherited(ours.release()!), configuration: configuration) { client in
            try await client.checkIsServed()
        }
        #expect(child.lines.all.allSatisfy { !$0.hasPrefix("failed") })
    }

    @Test func `a service on an inherited pair serves the child that it has started`() async throws {
        let (ours, theirs) = try PlatformChannel.pair()
        let descriptor = theirs.release()!
        let child = try Child(["call", "--endpoint", "inherited:3"], inheriting: [descriptor])
        close(Int32(descriptor))
        let service = Service(at: .inherited(ours.release()!), policy: .spawnedByUs)
        service.handle("echo") { bytes, _ in bytes.copied() }
        try await withService(service) {
            try await child.line("connected")
            #expect(try await child.ask("call echo") == "reply x")
        }
    }

    @Test func `a service for its children serves them and nobody else of the same user`() async throws {
        try await withRunning(policy: .spawnedByUs) { running in
            try await Self.expect(Child.program, at: running.path, "connected")
            // A grandchild: the shell that we have started starts it, and stays.
            let shell = try Child(
                ["-c", #""$PROGRAM" call --endpoint "$ENDPOINT"; true"#], program: "/bin/sh",
                environment: ["PROGRAM": Child.program, "ENDPOINT": running.path])
            try await shell.line("refused refused peerRefused")
            try await running.log.entry("a peer was refused", "which is not known as a child of this process")
        }
    }

    @Test func `a service takes the listener that a service manager hands it`() async throws {
        try await withDirectory { directory in
            let listening = try RawSocket.listen(at: directory + "/s")
            let child = try Child(["activate"], inheriting: [Int(listening)])
            close(listening)
            try await child.line("listening")
            for _ in 0..<3 { try await Client.connect(to: .path(directory + "/s")) { try await $0.checkIsServed() } }
            try child.tell("stop")
            try await child.line("over")
            // The socket is the manager's, who may start the service again.
            #expect(FileManager.default.fileExists(atPath: directory + "/s"))
        }
    }
}
