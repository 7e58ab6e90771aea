// Where endpoints are: names, paths of every length, modes that follow from access, and the order of places.

import Foundation
import GinnelCore
import GinnelTesting
import GinnelTransport
import Testing

@Suite(.timeLimit(.minutes(5))) struct EndpointPlaceTests {
    private let directory: ScratchDirectory

    init() throws { directory = try ScratchDirectory() }

    /// A group that this user may give files to, other than its own where possible.
    private static let group = PeerIdentity.own.user == 0 ? "daemon" : FileFacts(NSHomeDirectory())?.group ?? "staff"

    @Test(arguments: ["", "a/b", ".hidden", "..", "white space", "tab\t", "caf\u{E9}", String(repeating: "n", count: 65), "nul\0"])
    func `names that cannot be part of a path are refused`(name: String) async {
        for endpoint in [Endpoint.named(name), .system(name)] {
            let error = await ginnelError { _ = try endpoint.places() }
            #expect(error?.code == .invalid)
            #expect(error?.sentence.contains("1 to 64 letters") == true)
        }
    }

    @Test(arguments: ["a", "recorder", "a.b-c_D9", String(repeating: "n", count: 64)]) func `names of letters, digits and a few signs are taken`(
        name: String
    ) throws {
        for place in try Endpoint.named(name).places() + Endpoint.system(name).places() {
            #expect(place.path.hasSuffix("/\(name)/service.sock"))
            #expect(place.path.hasPrefix("/"))
        }
        #expect(try Endpoint.system(name).places().count == 1)
        #expect(try Endpoint.named(name).places().count > 1)
    }

    @Test(arguments: ["relative", "", "./s", "/with\0nul"]) func `paths that are not whole are refused`(path: String) async {
        let error = await ginnelError { _ = try Connector.connectOnce(to: .path(path)) }
        #expect(error?.code == .invalid)
        #expect(error?.sentence.contains("begins with a slash") == true)
    }

    @Test func `what people type is read as a path, a system's name or a name`() {
        #expect(Endpoint("/tmp/s") == .path("/tmp/s"))
        #expect(Endpoint("system:backup") == .system("backup"))
        #expect(Endpoint("recorder") == .named("recorder"))
        for endpoint in [Endpoint.path("/tmp/s"), .system("backup"), .named("recorder")] { #expect(Endpoint("\(endpoint)") == endpoint) }
    }

    // MARK: Long paths

    /// A path of exactly `length` bytes to a socket in nested directories.
    private func longPath(_ length: Int) throws -> String {
        var path = directory.path
        while path.utf8.count + 2 < length - 40 {
            path += "/" + String(repeating: "d", count: min(60, length - 40 - path.utf8.count - 1))
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
        }
        return path + "/" + String(repeating: "s", count: length - path.utf8.count - 1)
    }

    #if canImport(Glibc)
    @Test(arguments: [106, 107, 108, 109, 300, 1000]) func `a service is reached at paths of every length`(length: Int) async throws {
        let path = try longPath(length)
        #expect(path.utf8.count == length)
        try await withLoop { loop in
            let listener = try await TestListener(.path(path), on: loop)
            let client = try Connector.connectOnce(to: .path(path))
            let channel = try await listener.accepted.wait { $0.count == 1 }[0]
            #expect(client.say([7]) == .took(1))
            #expect(channel.hear().bytes == [7])
            let second = await ginnelError { _ = try await TestListener(.path(path), on: loop) }
            #expect(second?.code == .busy)
            try await listener.close()
            #expect(!exists(path))
        }
    }
    #else
    @Test func `a path over the system's limit is refused with its length and the limit`() async throws {
        let path = try longPath(300)
        let error = await ginnelError { _ = try Connector.connectOnce(to: .path(path)) }
        #expect(error?.code == .nameTooLong && error?.sentence.contains("300 bytes") == true)
    }
    #endif

    @Test func `a name that is too long for any socket is refused with its length`() async throws {
        let path = directory.file(String(repeating: "s", count: 200))
        try await withLoop { loop in
            for error in [
                await ginnelError { _ = try await TestListener(.path(path), on: loop) }, await ginnelError { _ = try Connector.connectOnce(to: .path(path)) },
            ] {
                #expect(error?.code == .nameTooLong)
                #expect(error?.sentence.contains("\(path.utf8.count) bytes") == true)
                #expect(error?.path == path)
            }
        }
    }

    // MARK: Access

    @Test(arguments: [(Access.currentUser, 0o600), (.group(group), 0o660), (.anyLocalUser, 0o666)])
    func `the socket has exactly the mode of its access, and a directory that was there keeps its own`(access: Access, mode: Int) async throws {
        let path = directory.file("s")
        let before = FileFacts(directory.path)
        try await withLoop { loop in
            let listener = try await TestListener(.path(path), on: loop, access: access)
            #expect(FileFacts(path)?.mode == mode)
            #expect(FileFacts(path)?.owner == Int(PeerIdentity.own.user ?? 0))
            if case .group(let name) = access { #expect(FileFacts(path)?.group == name) }
            #expect(FileFacts(directory.path) == before)
            #expect(FileFacts(path + ".lock")?.mode == 0o600)
            try await listener.close()
        }
    }

    @Test(.isolated, .serialized, arguments: [0o000, 0o022, 0o077, 0o777]) func `a named endpoint has exactly the modes of its access, whatever the mask of the process`(
        mask: Int
    ) async throws {
        let base = directory.path
        setenv("XDG_RUNTIME_DIR", base, 1)
        umask(mode_t(mask))
        let loop = try EventLoop(name: "test")
        try loop.start()
        for (access, directoryMode, socketMode) in [(Access.currentUser, 0o700, 0o600), (.group(Self.group), 0o750, 0o660), (.anyLocalUser, 0o755, 0o666)] {
            let listener = try await TestListener(.named("modes"), on: loop, access: access)
            #expect(listener.listener.path == base + "/modes/service.sock")
            #expect(FileFacts(base + "/modes")?.mode == directoryMode)
            #expect(FileFacts(base + "/modes/service.sock")?.mode == socketMode)
            if case .group(let name) = access {
                #expect(FileFacts(base + "/modes")?.group == name)
                #expect(FileFacts(base + "/modes/service.sock")?.group == name)
            }
            let client = try Connector.connectOnce(to: .named("modes"))
            try await listener.accepted.wait { $0.count == 1 }
            _ = client
            try await listener.close()
        }
        await loop.stop()
    }

    @Test func `a group that does not exist is named`() async throws {
        try await withLoop { loop in
            let error = await ginnelError { _ = try await TestListener(.path(directory.file("s")), on: loop, access: .group("no-such-group")) }
            #expect(error?.code == .invalid && error?.sentence.contains("no-such-group") == true)
            #expect(!exists(directory.file("s")))
        }
    }

    // MARK: Places

    @Test(.isolated) func `a client looks at every place in which a service may be`() async throws {
        let loop = try EventLoop(name: "test")
        try loop.start()
        let base = directory.path
        // The service was started without a session, the client within one.
        unsetenv("XDG_RUNTIME_DIR")
        setenv("TMPDIR", base, 1)
        let name = "places-\(try Identity.random())".prefix(40).description
        let listener = try await TestListener(.named(name), on: loop)
        let path = try #require(listener.listener.path)
        setenv("XDG_RUNTIME_DIR", base + "/session", 1)
        try FileManager.default.createDirectory(atPath: base + "/session", withIntermediateDirectories: false)
        let client = try Connector.connectOnce(to: .named(name))
        try await listener.accepted.wait { $0.count == 1 }
        _ = client
        try await listener.close()
        let own = path.split(separator: "/", omittingEmptySubsequences: false).dropLast(2).joined(separator: "/")
        if own.hasPrefix(base) { #expect(FileFacts(own)?.mode == 0o700) }
        try? FileManager.default.removeItem(atPath: String(path.dropLast("/service.sock".count)))

        let nobody = await ginnelError { _ = try Connector.connectOnce(to: .named(name)) }
        #expect(nobody?.code == .notFound)
        #expect(nobody?.path == base + "/session/\(name)/service.sock", "the best place is the one to name")
        await loop.stop()
    }
}
