// `ginnel doctor`: each thing that can be wrong with an endpoint is found, said, and comes with a remedy.

import Foundation
import Testing

@Suite struct DoctorTests {
    /// What the doctor says about the only place of a path.
    private struct Finding {
        var status: Int32
        var problems: [String]
        var remedies: [String]
        var notes: [String]
        var place: [String: Any]
    }

    private func examine(_ path: String, _ options: String...) async throws -> Finding {
        let outcome = try await Running(["doctor", path, "--json"] + options).outcome()
        let report = try #require(try outcome.objects().first)
        #expect(report["healthy"] as? Bool == (outcome.status == 0))
        let place = try #require((report["places"] as? [[String: Any]])?.first)
        let findings = try #require(place["findings"] as? [[String: Any]])
        let problems = findings.filter { $0["kind"] as? String == "problem" }
        return Finding(
            status: outcome.status, problems: problems.compactMap { $0["what"] as? String }, remedies: problems.compactMap { $0["remedy"] as? String },
            notes: findings.filter { $0["kind"] as? String == "note" }.compactMap { $0["what"] as? String }, place: place)
    }

    @Test func `a service that serves is healthy, and is named`() async throws {
        try await withEcho { path, service in
            let found = try await examine(path)
            #expect(found.status == 0 && found.problems == [] && found.notes == [])
            let about = try #require(found.place["service"] as? [String: Any])
            #expect(about["process"] as? Int == Int(service.id) && about["health"] as? String == "serving")
            #expect(found.place["lock_held"] as? Bool == true && found.place["lock_holder"] as? Int == Int(service.id))
            #expect((found.place["directory"] as? [String: Any])?["mode"] as? String == "0700")
            #expect((found.place["socket"] as? [String: Any])?["mode"] as? String == "0600")
            let text = try await Ginnel.run("doctor", path)
            #expect(text.status == 0 && text.lines.last == "healthy: process \(service.id) answers at \(path)")
        }
    }

    @Test func `nobody, a missing directory, a stale socket and a file that is no socket are told apart`() async throws {
        try await withDirectory { directory in
            let path = directory + "/echo.sock"
            let nobody = try await examine(path)
            #expect(nobody.status == 6 && nobody.problems == ["there is no socket at \(path): nobody listens"] && nobody.remedies == ["start the service"])

            let missing = try await examine(directory + "/none/echo.sock")
            #expect(missing.problems == ["the directory \(directory)/none does not exist"] && missing.remedies == ["mkdir -m 700 \(directory)/none"])

            try await leaveStaleSocket(at: path)
            let stale = try await examine(path)
            #expect(stale.problems == ["the socket is stale: its service ended without removing it, as when it is killed"])
            #expect(stale.remedies == ["start the service, which takes it over; nothing needs to be removed"])

            try #require(FileManager.default.createFile(atPath: directory + "/file", contents: nil))
            #expect(try await examine(directory + "/file").problems == ["\(directory)/file is no socket"])
            try FileManager.default.createSymbolicLink(atPath: directory + "/link", withDestinationPath: path)
            #expect(try await examine(directory + "/link").problems == ["\(directory)/link is a symbolic link, which a service does not replace"])
            let long = String(repeating: "n", count: 251)
            #expect(try await examine("\(directory)/\(long)").problems == ["the socket's name has 251 bytes, over the limit of 250 that leaves room for its lock"])
        }
    }

    @Test func `a directory that others can write to is found, with the command that mends it`() async throws {
        try await withDirectory(mode: 0o777) { directory in
            let found = try await examine(directory + "/echo.sock")
            #expect(found.status == 6)
            #expect(found.problems.first?.contains("mode 0777") == true)
            #expect(found.remedies.first?.hasSuffix("chmod go-w \(directory)") == true)
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: directory)
            let mended = try await examine(directory + "/echo.sock")
            #expect(!mended.problems.contains { $0.contains("mode") })
        }
    }

    @Test func `a directory that is a link is found`() async throws {
        try await withDirectory { directory in
            try FileManager.default.createDirectory(atPath: directory + "/real", withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
            try FileManager.default.createSymbolicLink(atPath: directory + "/link", withDestinationPath: directory + "/real")
            #expect(try await examine(directory + "/link/echo.sock").problems.first == "\(directory)/link is a symbolic link, which a service does not follow")
        }
    }

    @Test func `a service that hangs is found and named`() async throws {
        try await withEcho { path, service in
            service.signal(SIGSTOP)
            defer { service.signal(SIGCONT) }
            let found = try await examine(path)
            #expect(found.status == 6)
            #expect(found.problems == ["process \(service.id) accepts connections and says nothing: it hangs, is stopped, or speaks something else"])
        }
    }

    @Test func `a socket or a lock that somebody removed under a service is found`() async throws {
        try await withEcho { path, service in
            try FileManager.default.removeItem(atPath: path + ".lock")
            let unlocked = try await examine(path)
            #expect(unlocked.status == 0, "it serves all the same")
            #expect(unlocked.notes.first?.hasPrefix("somebody answers who does not hold the lock \(path).lock") == true)
        }
        try await withEcho { path, service in
            try FileManager.default.removeItem(atPath: path)
            let removed = try await examine(path)
            #expect(removed.problems == ["process \(service.id) serves this endpoint, but somebody removed its socket: nobody can connect"])
        }
    }

    @Test func `a service that is not whom to expect is found`() async throws {
        try await withEcho { path, service in
            let found = try await examine(path, "--expect", "12345")
            #expect(found.status == 6)
            #expect(found.problems.contains { $0.hasPrefix("a client refuses this service: the peer is user \(getuid())") })
            #expect(found.problems.contains("the socket belongs to user \(getuid()), not to user 12345: somebody else listens here"))
            #expect(try await examine(path, "--expect", "\(getuid())").status == 0)
            #expect(try await examine(path, "--expect", "any").status == 0)
            let ping = try await Ginnel.run("ping", path, "-c", "1", "--expect", "12345")
            #expect(ping.status == 4 && ping.errors.contains("is not whom we expect"))
        }
    }

    @Test func `a service that takes no more connections is found`() async throws {
        try await withEcho("--connections", "1") { path, _ in
            let ping = try Running(["ping", path, "--json", "--interval", "60m"])
            _ = await ping.line()
            let found = try await examine(path)
            #expect(found.problems.first?.hasSuffix("has as many connections as it takes") == true)
            #expect(try await Ginnel.run("ping", path, "-c", "1").status == 4)
            ping.signal(SIGINT)
            #expect(await ping.outcome().status == 0)
        }
    }

    @Test func `every place of a name is looked at, and one that serves is enough`() async throws {
        try await withDirectory { directory in
            let environment = ["XDG_RUNTIME_DIR": directory, "TMPDIR": directory]
            let nobody = try await Ginnel.run("doctor", "parrot", "--json", environment: environment)
            let places = try #require(try nobody.objects().first?["places"] as? [[String: Any]])
            #expect(nobody.status == 6 && places.count >= 2)
            #expect(places.first?["path"] as? String == directory + "/parrot/service.sock")
            let service = try Running(["serve-echo", "parrot", "--json"], environment: environment)
            defer { service.signal(SIGKILL) }
            _ = await service.line()
            let served = try await Ginnel.run("doctor", "parrot", "--json", environment: environment)
            #expect(served.status == 0)
            #expect(try served.objects().first?["served_at"] as? String == directory + "/parrot/service.sock")
            service.signal(SIGTERM)
            #expect(await service.outcome().status == 0)
        }
    }
}
