// Programs beside ours: started again, given up, ended one way or the other.

import Foundation
import Ginnel
import GinnelTransport
import Testing

@Suite(.serialized, .ownThread, .timeLimit(.minutes(5))) struct SidecarTests {
    /// Quick to start again, and silent.
    private static func configuration(_ readiness: SidecarReadiness = .started, restarts maximum: Int? = 5, lines: Recorded<SidecarLine> = Recorded()) -> SidecarConfiguration {
        var configuration = SidecarConfiguration.defaults
        configuration.readiness = readiness
        configuration.restarts = RestartPolicy(maximum: maximum, backoff: Backoff(base: .milliseconds(1), cap: .milliseconds(2)))
        configuration.output = { lines.append($0) }
        configuration.log = .off
        return configuration
    }

    private static func script(_ text: String, _ configuration: SidecarConfiguration) -> Sidecar {
        Sidecar("/bin/sh", arguments: ["-c", text], configuration: configuration)
    }

    // MARK: Starting again

    @Test func `a program that is killed is started again, and the restarts are counted`() async throws {
        let sidecar = Sidecar("/bin/sleep", arguments: ["3600"], configuration: Self.configuration())
        let states = sidecar.states
        var counts: [Int] = []
        var processes: Set<UInt32> = []
        try await withThrowingTaskGroup { group in
            group.addTask { try await sidecar.run() }
            for await state in states {
                switch state {
                case .ready(let process):
                    processes.insert(process)
                    if processes.count == 4 { group.cancelAll() } else { kill(pid_t(process), SIGKILL) }
                case .restarting(let count, _, let reason):
                    counts.append(count)
                    #expect(reason == "ended by signal 9")
                default: break
                }
            }
            try await group.waitForAll()
        }
        #expect(counts == [1, 2, 3] && processes.count == 4)
        guard case .ended(let end) = sidecar.currentState else { return #expect(Bool(false), "\(sidecar.currentState)") }
        #expect(end?.signal == SIGTERM)
    }

    @Test func `a program that does not stay up is given up by name`() async throws {
        let lines = Recorded<SidecarLine>()
        let sidecar = Self.script("echo again; exit 3", Self.configuration(restarts: 2, lines: lines))
        let error = try await errorOf(GinnelError.self) { try await sidecar.run() }
        #expect(error.code == .gaveUp && error.path == "/bin/sh")
        #expect(error.sentence.contains("exit status 3") && error.sentence.contains("2 times in a row (restarts.maximum)"))
        #expect(lines.all.map(\.text) == ["again", "again", "again"])
        #expect(sidecar.currentState == .ended(SidecarEnd(3)))
    }

    @Test func `what becomes of a program is logged, each line with its event`() async throws {
        let log = LogRecorder()
        var configuration = Self.configuration(restarts: 1)
        configuration.log = log.log
        _ = try await errorOf(GinnelError.self) { try await Self.script("exit 3", configuration).run() }
        let events = log.entries.all.compactMap { $0.metadata["event"] }
        #expect(events == ["sidecar-ready", "sidecar-restarted", "sidecar-ready", "sidecar-given-up"] && log.entries.count == events.count)
        #expect(log.entries.all.allSatisfy { $0.metadata["program"] == "/bin/sh" })
    }

    @Test func `a body is cancelled when the program is given up`() async throws {
        let sidecar = Self.script("exit 4", Self.configuration(restarts: 1))
        let error = try await errorOf(GinnelError.self) { try await sidecar.run { await DeadlineTests.waitForCancellation() } }
        #expect(error.code == .gaveUp)
    }

    @Test func `a program that is not ready in time is ended, and that counts as a failure`() async throws {
        var configuration = Self.configuration(.line("ready"), restarts: 1)
        configuration.readinessTimeout = .milliseconds(50)
        let sidecar = Self.script("echo not yet; exec sleep 3600", configuration)
        let error = try await errorOf(GinnelError.self) { try await sidecar.run() }
        #expect(error.code == .gaveUp && error.sentence.contains("not ready within 0.05 seconds (readinessTimeout)"))
        #expect(sidecar.currentState == .ended(SidecarEnd(256 + SIGTERM)))
    }

    @Test func `a program that has done its work is left at that where the policy says so`() async throws {
        var configuration = Self.configuration()
        configuration.restarts.when = .onFailure
        let sidecar = Self.script("exit 0", configuration)
        try await sidecar.run()
        #expect(sidecar.currentState == .ended(SidecarEnd(0)))
        // And once only.
        #expect(try await errorOf(GinnelError.self) { try await sidecar.run() }.code == .invalid)
    }

    @Test func `a program that cannot be started is named, with the reason and the remedy`() async throws {
        let missing = Sidecar("/nowhere/engine", configuration: Self.configuration())
        let error = try await errorOf(GinnelError.self) { try await missing.run() }
        #expect(error.code == .notFound && error.path == "/nowhere/engine" && error.cause?.native == ENOENT)
        #expect(error.sentence.contains("give the whole path"))
        #expect(missing.currentState == .ended(nil))
        try await withDirectory { directory in
            #expect(FileManager.default.createFile(atPath: directory + "/text", contents: Data("no program".utf8)))
            let text = Sidecar(directory + "/text", configuration: Self.configuration())
            let error = try await errorOf(GinnelError.self) { try await text.connect { _ in } }
            #expect(error.code == .denied && error.cause?.native == EACCES && error.sentence.contains("permission to execute"))
        }
    }

    // MARK: Ending

    @Test func `a program that ignores SIGTERM is killed when its grace is over`() async throws {
        var configuration = Self.configuration(.line("armed"))
        configuration.grace = .milliseconds(50)
        let sidecar = Self.script("trap '' TERM; echo armed; exec sleep 3600", configuration)
        let answer = try await sidecar.run { 42 }
        #expect(answer == 42 && sidecar.currentState == .ended(SidecarEnd(256 + SIGKILL)))
    }

    @Test func `a program is asked to end first, and what it says then is heard to its end`() async throws {
        let lines = Recorded<SidecarLine>()
        let sidecar = Self.script(
            "trap 'echo farewell; printf unfinished; exit 0' TERM; echo armed; while :; do sleep 0.01; done", Self.configuration(.line("armed"), lines: lines))
        try await sidecar.run {}
        #expect(lines.all.map(\.text) == ["armed", "farewell", "unfinished"])
        #expect(sidecar.currentState == .ended(SidecarEnd(0)))
    }

    @Test func `what the body throws ends the program and comes out`() async throws {
        struct Own: Error {}
        let sidecar = Sidecar("/bin/sleep", arguments: ["3600"], configuration: Self.configuration())
        _ = try await errorOf(Own.self) { try await sidecar.run { throw Own() } }
        #expect(sidecar.currentState == .ended(SidecarEnd(256 + SIGTERM)))
    }

    @Test func `cancelling ends the program, whatever it is doing`() async throws {
        for (text, readiness) in [("exec sleep 3600", SidecarReadiness.started), ("exec sleep 3600", .line("never")), ("exit 1", .started)] {
            var configuration = Self.configuration(readiness)
            configuration.restarts.backoff = Backoff(base: .seconds(3600), cap: .seconds(3600))
            let sidecar = Self.script(text, configuration)
            let states = sidecar.states
            try await withThrowingTaskGroup { group in
                group.addTask { try await sidecar.run() }
                for await state in states {
                    switch (state, readiness) {
                    case (.starting, .line), (.ready, .started): if text != "exit 1" { group.cancelAll() }
                    case (.restarting, _): group.cancelAll()
                    default: break
                    }
                }
                try await group.waitForAll()
            }
            guard case .ended(.some) = sidecar.currentState else { return #expect(Bool(false), "\(sidecar.currentState)") }
        }
    }

    @Test func `a program does not outlive a parent that is killed`() async throws {
        try await withRunning { running in
            let parent = try Child(["keep", "--endpoint", running.path])
            try await parent.line("ready")
            try await running.log.entry("a peer connected")
            parent.kill()
            #expect(try await parent.status() == 256 + SIGKILL)
            try await running.log.entry("a connection ended")
        }
    }

    // MARK: What it says

    @Test func `output comes line by line, each stream apart, repaired, and nothing of its end is lost`() async throws {
        let lines = Recorded<SidecarLine>()
        var configuration = Self.configuration(lines: lines)
        configuration.restarts = .never
        configuration.lineLimit = 16
        let text = #"echo one; printf 'a\377b\r\n' ; echo error >&2; echo 0123456789abcdef0123; i=0; while [ $i -lt 3000 ]; do echo $i; i=$((i+1)); done; printf last"#
        try await Self.script(text, configuration).run()
        let output = lines.all.filter { $0.stream == .output }
        #expect(output.prefix(4).map(\.text) == ["one", "a\u{FFFD}b", "0123456789abcdef", "0123"])
        #expect(output.prefix(4).map(\.isCut) == [false, false, true, false])
        #expect(output.dropFirst(4).map(\.text) == (0..<3000).map { "\($0)" } + ["last"])
        #expect(lines.all.filter { $0.stream == .errors }.map(\.text) == ["error"])
    }

    // MARK: Talking with it

    private static func peer(_ arguments: [String], _ configuration: SidecarConfiguration) -> Sidecar {
        var configuration = configuration
        // It has no test behind it that would give it orders.
        configuration.environment["TESTPEER_CONTROL"] = ""
        return Sidecar(Child.program, arguments: arguments, configuration: configuration)
    }

    @Test func `a service that is handed its endpoint is waited for`() async throws {
        try await withDirectory { directory in
            let endpoint = Endpoint.path(directory + "/s")
            let sidecar = Self.peer(["serve"], Self.configuration(.listening(at: endpoint)))
            try await sidecar.run { try await Client.connect(to: endpoint) { try await $0.checkIsServed() } }
            // Asked to end, it has ended as a service should.
            #expect(sidecar.currentState == .ended(SidecarEnd(0)))
            #expect(try FileManager.default.contentsOfDirectory(atPath: directory) == [])
        }
    }

    @Test func `a program with a channel is met on it, and met again when it was killed`() async throws {
        let sidecar = Self.peer(["serve"], Self.configuration())
        let processes = Recorded<UInt32>()
        try await sidecar.connect { client in
            try await client.checkIsServed()
            guard case .ready(let process) = sidecar.currentState else { return #expect(Bool(false), "\(sidecar.currentState)") }
            processes.append(process)
            if processes.count == 3 { return }
            kill(pid_t(process), SIGKILL)
            _ = try await client.call("hold", payload: [])
        }
        #expect(processes.count == 3 && Set(processes.all).count == 3)
        guard case .ended(.some) = sidecar.currentState else { return #expect(Bool(false), "\(sidecar.currentState)") }
    }

    @Test func `a program that does not speak on its channel is not ready`() async throws {
        var configuration = Self.configuration(restarts: 0)
        configuration.readinessTimeout = .milliseconds(50)
        let sidecar = Sidecar("/bin/sleep", arguments: ["3600"], configuration: configuration)
        let error = try await errorOf(GinnelError.self) { try await sidecar.connect { _ in } }
        #expect(error.code == .gaveUp && error.sentence.contains("readinessTimeout"))
    }
}
