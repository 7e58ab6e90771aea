// One live service an endpoint: who is refused, what is taken over, what is never touched, and what the errors say.

import CTestSupport
import Foundation
import GinnelCore
import GinnelTesting
import GinnelTransport
import Testing

@Suite(.timeLimit(.minutes(5))) struct EndpointOwnershipTests {
    static let isRoot = PeerIdentity.own.user == 0

    private let directory: ScratchDirectory
    private var path: String { directory.file("s") }
    private var endpoint: Endpoint { .path(path) }

    init() throws { directory = try ScratchDirectory() }

    /// The error of an attempt to listen at `path`, or at the usual place.
    private func refusal(at path: String? = nil) async throws -> GinnelError? {
        try await withLoop { loop in
            await ginnelError { _ = try await TestListener(path.map { .path($0) } ?? endpoint, on: loop, starts: false) }
        }
    }

    private func expect(_ error: GinnelError?, _ code: GinnelError.Code, at path: String? = nil, says words: String..., location: SourceLocation = #_sourceLocation) {
        #expect(error?.code == code, "\(String(describing: error))", sourceLocation: location)
        #expect(error?.path == path ?? self.path, sourceLocation: location)
        for word in words { #expect(error?.sentence.contains(word) == true, "\(error?.sentence ?? "") lacks: \(word)", sourceLocation: location) }
    }

    // MARK: The living and the dead

    @Test func `a second service is told who serves the endpoint, and the first keeps its clients`() async throws {
        try await withLoop { loop in
            let first = try await TestListener(endpoint, on: loop)
            let client = try Connector.connectOnce(to: endpoint)
            let channel = try await first.accepted.wait { $0.count == 1 }[0]
            expect(try await refusal(), .busy, says: "process \(PeerIdentity.own.process ?? 0)", "end it")
            #expect(client.say([7]) == .took(1))
            #expect(channel.hear().bytes == [7])
            let later = try Connector.connectOnce(to: endpoint)
            try await first.accepted.wait { $0.count == 2 }
            _ = later
            try await first.close()
        }
    }

    @Test func `a service that was killed leaves a socket, and the next one takes it over`() async throws {
        let peer = try TestPeer(["serve", "--endpoint", path])
        _ = try await Connector.wait(for: endpoint, timeout: .seconds(60), interval: .milliseconds(1))
        peer.child.kill()
        let (_, status) = try await peer.child.result()
        #expect(status == 256 + SIGKILL)
        #expect(exists(path) && exists(path + ".lock"))
        let gone = await ginnelError { _ = try Connector.connectOnce(to: endpoint) }
        #expect(gone?.code == .notFound && gone?.sentence.contains("gone; start it again") == true)
        try await withLoop { loop in
            let next = try await TestListener(endpoint, on: loop)
            let client = try Connector.connectOnce(to: endpoint)
            try await next.accepted.wait { $0.count == 1 }
            _ = client
            try await next.close()
        }
    }

    @Test func `a live service that knows nothing of our lock is left alone`() async throws {
        let foreign = ts_listen(path)
        defer { ts_close(foreign) }
        expect(try await refusal(), .busy, says: "somebody who does not use our lock", "end that service")
        let client = try Connector.connectOnce(to: endpoint)
        #expect(client.say([1]) == .took(1))
    }

    @Test func `a stale socket that knew nothing of our lock is taken over`() async throws {
        ts_close(ts_listen(path))
        try await withLoop { loop in
            let listener = try await TestListener(endpoint, on: loop)
            try await listener.close()
        }
    }

    @Test func `of many that start at once one serves`() async throws {
        try await withLoop { loop in
            let served = Watched([TestListener]())
            let refused = Watched([GinnelError]())
            await withTaskGroup { group in
                for _ in 0..<8 {
                    group.addTask { [endpoint] in
                        do {
                            let listener = try await TestListener(endpoint, on: loop, starts: false)
                            served.change { $0.append(listener) }
                        } catch {
                            refused.change { $0.append(error as! GinnelError) }
                        }
                    }
                }
            }
            #expect(served.value.count == 1)
            #expect(refused.value.count == 7 && refused.value.allSatisfy { $0.code == .busy })
        }
    }

    // MARK: What is no socket of ours

    @Test func `a file in the endpoint's place is named and stays as it is`() async throws {
        try Data("precious".utf8).write(to: URL(fileURLWithPath: path))
        expect(try await refusal(), .unsafe, says: "no socket", "move it away")
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "precious")
        let error = await ginnelError { _ = try Connector.connectOnce(to: endpoint) }
        #expect(error?.code == .unsafe && error?.sentence.contains("no socket") == true)
    }

    @Test func `a link in the endpoint's place is not followed`() async throws {
        let target = directory.file("target")
        try Data("precious".utf8).write(to: URL(fileURLWithPath: target))
        try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: target)
        expect(try await refusal(), .unsafe, says: path)
        #expect(try String(contentsOfFile: target, encoding: .utf8) == "precious")
    }

    @Test func `a link in the lock's place is not followed`() async throws {
        let target = directory.file("target")
        try Data("precious".utf8).write(to: URL(fileURLWithPath: target))
        try FileManager.default.createSymbolicLink(atPath: path + ".lock", withDestinationPath: target)
        expect(try await refusal(), .unsafe, says: path + ".lock", "mend owner and mode")
        #expect(try String(contentsOfFile: target, encoding: .utf8) == "precious")
    }

    @Test(.enabled(if: isRoot, "needs root, to give files away")) func `a lock and a socket of another user are named with their owner and mode`() async throws {
        try Data().write(to: URL(fileURLWithPath: path + ".lock"))
        try setMode(of: path + ".lock", 0o640)
        try FileManager.default.setAttributes([.ownerAccountID: 65_534], ofItemAtPath: path + ".lock")
        expect(try await refusal(), .unsafe, says: path + ".lock", "owner 65534", "mode 0640", "let its owner remove it")
        try FileManager.default.removeItem(atPath: path + ".lock")

        ts_close(ts_listen(path))
        try setMode(of: path, 0o606)
        try FileManager.default.setAttributes([.ownerAccountID: 65_534], ofItemAtPath: path)
        expect(try await refusal(), .unsafe, says: path, "owner 65534", "mode 0606", "let its owner remove it")
        #expect(exists(path))
    }

    // MARK: The directory

    @Test(arguments: [0o777, 0o770, 0o722, 0o720]) func `a directory that others can write to is refused with its owner and mode, and left as it is`(
        mode: Int
    ) async throws {
        try setMode(of: directory.path, mode)
        let own = PeerIdentity.own.user ?? 0
        expect(try await refusal(), .unsafe, says: directory.path, "owner \(own)", "mode 0\(String(mode, radix: 8))", "mend owner and mode")
        #expect(FileFacts(directory.path)?.mode == mode)
        #expect(!exists(path))
    }

    @Test(.enabled(if: isRoot, "needs root, to give files away")) func `a directory of another user is refused with its owner`() async throws {
        try FileManager.default.setAttributes([.ownerAccountID: 65_534], ofItemAtPath: directory.path)
        expect(try await refusal(), .unsafe, says: directory.path, "owner 65534", "let its owner remove it")
    }

    @Test func `a link in the directory's place is refused`() async throws {
        let link = directory.file("link")
        try FileManager.default.createDirectory(atPath: directory.file("real"), withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: directory.file("real"))
        guard !Self.isRoot else {
            // Links of root are part of the system, as /tmp is on some.
            try await withLoop { loop in try await TestListener(.path(link + "/s"), on: loop).close() }
            return
        }
        expect(try await refusal(at: link + "/s"), .unsafe, at: link + "/s", says: link, "a symbolic link")
    }

    @Test func `a directory that is missing is asked for`() async throws {
        let missing = directory.file("missing/s")
        expect(try await refusal(at: missing), .notFound, at: missing, says: "does not exist", "mode 0700")
    }

    @Test func `a sticky directory of root's may be shared`() async throws {
        let path = "/tmp/ginnel-test-\(try Identity.random()).sock"
        try await withLoop { loop in
            let listener = try await TestListener(.path(path), on: loop)
            let client = try Connector.connectOnce(to: .path(path))
            try await listener.accepted.wait { $0.count == 1 }
            _ = client
            try await listener.close()
        }
        #expect(!exists(path) && !exists(path + ".lock"))
    }

    @Test(.isolated, .enabled(if: isRoot, "needs root, to become somebody else")) func `another user is told what it may not do, and whose it is`() async throws {
        func expect(_ error: GinnelError?, _ code: GinnelError.Code, says words: String...) {
            #expect(error?.code == code, "\(String(describing: error))")
            for word in words { #expect(error?.sentence.contains(word) == true, "\(String(describing: error)) lacks: \(word)") }
        }
        try setMode(of: directory.path, 0o755)
        let inner = directory.file("inner")
        try FileManager.default.createDirectory(atPath: inner, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
        try await withLoop { loop in
            let listener = try await TestListener(endpoint, on: loop)
            #expect(ts_become_user(65_534))
            let closedSocket = await ginnelError { _ = try Connector.connectOnce(to: endpoint) }
            let closedDirectory = await ginnelError { _ = try Connector.connectOnce(to: .path(inner + "/s")) }
            let foreign = await ginnelError { _ = try await TestListener(.path(directory.file("mine")), on: loop, starts: false) }
            let closed = await ginnelError { _ = try await TestListener(.path(inner + "/mine"), on: loop, starts: false) }
            let system = await ginnelError { _ = try await TestListener(.system("ginnel-test-denied"), on: loop, starts: false) }
            #expect(ts_become_user(0))
            try await listener.close()

            expect(closedSocket, .denied, says: "may not connect", "owner 0, mode 0600", "access that includes")
            expect(closedDirectory, .denied, says: "may not connect", "owner 0, mode 0700", "access that includes")
            expect(foreign, .unsafe, says: directory.path, "owner 0, mode 0755", "mend owner and mode")
            expect(closed, .denied, says: "may not listen", "owner 0, mode 0700", "choose a directory of its own")
            expect(system, .denied, says: "may not listen", "ginnel-test-denied", "choose a directory of its own")
        }
    }
}
