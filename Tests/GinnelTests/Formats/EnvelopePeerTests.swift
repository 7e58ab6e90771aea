// Tests/Peers/envelope.py, a program in another language that was written from the format's page, as the other side of a real socket.

import Foundation
import Ginnel
import GinnelTesting
import Testing

@Suite(.serialized, .ownThread, .timeLimit(.minutes(5))) struct EnvelopePeerTests {
    private static let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../Peers/envelope.py").standardizedFileURL

    private static func python(_ arguments: String...) throws -> Child { try Child(["python3", "-B", script.path] + arguments, program: "/usr/bin/env") }

    @Test func `an agent in another language is served`() async throws {
        let progress = Recorded<Envelope.BackupProgress>()
        let configured = Recorded<String>()
        try await withRunning(format: .envelope()) { service in
            service.handle(Envelope.AgentStarted.self) { agent, _ in
                try Envelope.Answer(
                    Envelope.BackupRequest(
                        userId: "\(agent.userId) \(agent.agentVersion) \(agent.sessionId)", deadline: Envelope.Time("2024-01-08T12:00:00Z"), categories: ["files", "email"]))
            }
            service.handle(Envelope.BackupProgress.self) { message, _ in
                progress.append(message)
                return Nothing()
            }
            service.handle(Envelope.DelayRequest.self) { delay, _ in
                try Envelope.Answer(Envelope.EscalationNotice(reason: delay.delaysUsed >= 3 ? "max_delays_exceeded" : "timeout"))
            }
            service.handle(Envelope.ErrorReport.self) { report, _ -> Nothing in throw CallError(.internal, report.message) }
            service.handle(Envelope.UserAction.self) { action, _ in
                #expect(action.action.count == 100_000)
                #expect(action.details == ["n": .null, "l": .array([.integer(1), .number(2.5), .string("s"), .object(["deep": .boolean(true)])])])
                return Nothing()
            }
        } _: { running in
            let child = try Self.python("client", running.path)
            try await child.line("large")
            #expect(try running.service.broadcast(Envelope.StatusUpdate(overallStatus: "waiting")) == 1)
            let connection = try #require(running.service.connections.first)
            let update = Envelope.ConfigurationUpdate(key: "interval", value: .integer(5))
            let refused = try await errorOf(CallError.self) {
                _ = try await connection.call(Envelope.ConfigurationUpdate.type, codec: .json, payload: update.encoded())
            }
            configured.append(refused.sentence)
            connection.close(.finished, "")
            #expect(try await child.status() == 0)
            try await child.line("end")
            #expect(
                child.lines.all == [
                    "heartbeat None", "started zoë 1.2 7 normal files,email 2024-01-08T12:00:00Z", "progress None", "again None", "delay max_delays_exceeded",
                    "unknown No handler registered for message type: NO_SUCH_TYPE", "wrong Failed to deserialize payload", "absent Failed to deserialize payload",
                    "broken Error handling message: boom", "large None", "pushed waiting", "configured interval 5 user", "end",
                ])
            #expect(progress.all == [Envelope.BackupProgress(userId: "u", category: "files", progress: 12.5, bytesTransferred: 1 << 40)])
            #expect(configured.all == ["Error handling message: read only"])
        }
    }

    @Test func `what is malformed ends a connection of its own, and no other`() async throws {
        try await withRunning(format: .envelope()) { running in
            let child = try Self.python("malformed", running.path)
            #expect(try await child.status() == 0)
            try await child.line("end")
            #expect(child.lines.all.count == 23)
        }
    }

    @Test func `a service that says what is malformed is left by its client`() async throws {
        try await withDirectory { directory in
            let child = try Self.python("spoil", directory + "/s")
            try await child.line("listening")
            var configuration = ClientConfiguration.defaults
            configuration.format = .envelope()
            configuration.log = LogRecorder().log
            for _ in 0..<22 {
                let lost = try await errorOf(CallError.self) {
                    try await Client.connect(to: .path(directory + "/s"), configuration: configuration) { _ = try await $0.call(Envelope.UserAction(userId: "u", action: "a")) }
                }
                #expect(lost.code == .connectionLost)
                #expect(lost.sentence.contains("closed by this side"))
            }
            #expect(try await child.status() == 0)
            try await child.line("end")
            #expect(child.lines.all.count == 24)
        }
    }

    @Test func `a service in another language serves, dies, and has each message once more`() async throws {
        try await withDirectory { directory in
            let child = try Self.python("service", directory + "/s")
            try await child.line("listening")
            var configuration = ClientConfiguration.defaults
            configuration.format = .envelope(received: ["SHUTDOWN_REQUEST"])
            configuration.program = "agent"
            let client = Client(to: .path(directory + "/s"), reconnect: .exponential(), configuration: configuration)
            let told = Recorded<Envelope.ShutdownRequest>()
            client.receive(Envelope.ShutdownRequest.self) { request, _ in told.append(request) }
            let running = Task { try await client.run() }
            let answer = try await client.call(Envelope.AgentStarted(userId: "u", agentVersion: "2", sessionId: "s"))
            #expect(try answer.payload() == Envelope.StatusUpdate(overallStatus: "ready", readyUsers: ["é"], totalUsers: 1))
            _ = try await client.ping()
            async let first = errorOf(CallError.self) { _ = try await client.call(Envelope.BackupStarted(userId: "1")) }
            async let second = client.call(Envelope.BackupStarted(userId: "2"))
            _ = try await second
            #expect(try await first.sentence == "Error handling message: no room")
            _ = try await client.call(Envelope.UserAction(userId: "u", action: "a"))
            #expect(told.all == [Envelope.ShutdownRequest(reason: "update")])

            var receipts: [DeliveryReceipt] = []
            for number in 1...4 {
                let progress = Envelope.BackupProgress(userId: "u", category: "c", progress: Swift.Double(number))
                receipts.append(try await client.send(progress, delivery: .acknowledged))
            }
            for receipt in receipts { try await receipt.acknowledged() }
            client.close()
            _ = try await running.value
            #expect(try await child.status() == 0)
            try await child.line("end")
            let kept = child.lines.all.filter { $0.hasPrefix("kept") }.map { $0.split(separator: " ") }
            #expect(kept.map { "\($0[1]) \($0[2])" } == ["0 1", "0 2", "0 3", "1 3", "1 4"])
            // The third has the id that it had.
            #expect(kept.count == 5 && kept[2][3] == kept[3][3])
            #expect(Set(kept.map { $0[3] }).count == 4)
            #expect(child.lines.all.contains("agent u 2 s"))
            #expect(child.lines.all.contains("shutdown True"))
        }
    }

    /// Another user takes root to play.
    @Test(.enabled(if: Child.isRoot, "plays other users, which only root can"))
    func `a system service of root knows two agents of other users by the kernel, whatever they claim`() async throws {
        let name = uniqueName()
        defer { try? FileManager.default.removeItem(atPath: "/run/\(name)") }
        try await withDirectory { directory in
            chmod(directory, 0o755)
            let script = directory + "/envelope.py"
            try FileManager.default.copyItem(atPath: Self.script.path, toPath: script)
            chmod(script, 0o644)
            let users = ["nobody": getpwnam("nobody")!.pointee.pw_uid, "daemon": getpwnam("daemon")!.pointee.pw_uid]
            let log = LogRecorder()
            var configuration = ServiceConfiguration.defaults
            configuration.log = log.log
            let service = Service(at: .system(name), format: .envelope(), access: .anyLocalUser, configuration: configuration)
            service.handle(Envelope.AgentStarted.self) { agent, context in
                guard let user = context.peer.user, users[agent.userId] == user else { throw CallError(.forbidden, "you are not \(agent.userId)") }
                return try Envelope.Answer(Envelope.BackupRequest(userId: "\(user)"))
            }
            func agent(_ user: String, claiming claimed: String) throws -> Child {
                let id = "\(users[user]!)"
                // The first Python of the search path may be root's own.
                let python = ["env", "PATH=/usr/bin:/bin", "python3", "-B"]
                return try Child(
                    ["--reuid", id, "--regid", id, "--clear-groups"] + python + [script, "agent", "/run/\(name)/service.sock", claimed], program: "/usr/bin/setpriv")
            }
            try await withRunning(Running(service: service, path: "/run/\(name)/service.sock", log: log)) { _ in
                for (user, claimed, answer) in [
                    ("nobody", "nobody", "answered BACKUP_REQUEST \(users["nobody"]!)"), ("daemon", "daemon", "answered BACKUP_REQUEST \(users["daemon"]!)"),
                    ("daemon", "nobody", "refused Error handling message: you are not nobody"),
                ] {
                    let child = try agent(user, claiming: claimed)
                    #expect(try await child.status() == 0)
                    try await child.line("end")
                    #expect(child.lines.all == [answer, "end"])
                }
            }
        }
    }
}
