// What another user gets to see. Only root can play two users, so these run where root runs the tests.

import Foundation
import Testing

@Suite(.enabled(if: getuid() == 0, "only root can become another user")) struct StrangerTests {
    private let nobody = ["--become", "65534"]

    /// A service in a directory that others can reach.
    private func withOpenEcho(_ options: String..., body: (String) async throws -> Void) async throws {
        try await withDirectory(mode: 0o755) { directory in
            let path = directory + "/echo.sock"
            let service = try Running(["serve-echo", path, "--json"] + options)
            defer { service.signal(SIGKILL) }
            let line = await service.line()
            try #require(line.contains("\"listening\""))
            try await body(path)
            service.signal(SIGTERM)
            #expect(await service.outcome().status == 0)
        }
    }

    @Test func `the file system keeps another user out, and the doctor says so`() async throws {
        try await withOpenEcho { path in
            let ping = try await Running(["ping", path, "-c", "1"] + nobody).outcome()
            #expect(ping.status == 4 && ping.errors.contains("user 65534 may not connect to this endpoint"))
            let doctor = try await Running(["doctor", path] + nobody).outcome()
            #expect(doctor.status == 6)
            #expect(doctor.output.contains("user 65534 may not connect to \(path), owner 0, mode 0600"))
        }
        try await withDirectory { closed in
            let doctor = try await Running(["doctor", closed + "/echo.sock"] + nobody).outcome()
            #expect(doctor.status == 6 && doctor.output.contains("user 65534 may not look into \(closed), owner 0, mode 0700"))
            let inside = try await Running(["doctor", closed + "/deeper/echo.sock"] + nobody).outcome()
            #expect(inside.status == 6 && inside.output.contains("user 65534 may not look into \(closed)/deeper"))
        }
    }

    @Test func `a service for everybody serves another user who expects root, and none who expects himself`() async throws {
        try await withOpenEcho("--access", "any") { path in
            let call = try await Running(["call", path, "echo", "hello", "--raw", "--expect", "root"] + nobody).outcome()
            #expect(call.status == 0 && call.output == "hello")
            let suspicious = try await Running(["call", path, "echo", "hello", "--raw"] + nobody).outcome()
            #expect(suspicious.status == 4 && suspicious.errors.contains("the peer is user 0, this process user 65534"))
            #expect(try await Running(["doctor", path, "--expect", "root"] + nobody).outcome().status == 0)
        }
    }

    @Test func `who took an endpoint in a shared directory is named`() async throws {
        try await withDirectory(mode: 0o1777) { directory in
            let path = directory + "/echo.sock"
            let squatter = try Running(["serve-echo", path, "--json"] + nobody)
            defer { squatter.signal(SIGKILL) }
            _ = await squatter.line()
            let doctor = try await Ginnel.run("doctor", path)
            #expect(doctor.status == 6)
            #expect(doctor.output.contains("the socket belongs to user 65534, not to user 0: somebody else listens here"))
            #expect(doctor.output.contains("a client refuses this service: the peer is user 65534, this process user 0"))
            #expect(try await Ginnel.run("ping", path, "-c", "1").status == 4)
            #expect(try await Ginnel.run("serve-echo", path).status == 7)
            // Expected or not: the squatter's own policy lets nobody else in.
            let refused = try await Ginnel.run("ping", path, "-c", "1", "--expect", "65534", "--json")
            #expect(refused.status == 4)
            #expect(try refused.objects().first?["code"] as? String == "peerRefused")
            squatter.signal(SIGTERM)
            #expect(await squatter.outcome().status == 0)
        }
    }
}
