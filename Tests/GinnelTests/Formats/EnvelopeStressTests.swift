// Many agents of the envelope format at once, some that stay and lose their connections, some that come and go: each sees its own answers and pushes, and the service each message once.

import Ginnel
import GinnelTesting
import Testing

@Suite(.serialized, .ownThread, .timeLimit(.minutes(5))) struct EnvelopeStressTests {
    private static let staying = 8
    private static let visiting = 8
    private static let messages = 60
    private static let visits = 6

    private static func configuration() -> ClientConfiguration {
        var configuration = ClientConfiguration.quiet
        configuration.format = .envelope(received: ["CONFIGURATION_UPDATE"])
        // The tasks that run so many clients may come to it late.
        configuration.startTimeout = .seconds(240)
        return configuration
    }

    @Test func `agents that send, are pushed to and reconnect all see their own results`() async throws {
        let progress = Recorded<Envelope.BackupProgress>()
        let format = WireFormat.envelope()
        try await withRunning(.quiet, format: format) { service in
            service.handle(Envelope.AgentStarted.self) { agent, _ in
                try Envelope.Answer(Envelope.StatusUpdate(overallStatus: "ready", readyUsers: [agent.userId], totalUsers: 1))
            }
            service.handle(Envelope.BackupProgress.self) { message, context in
                progress.append(message)
                // The answer of every seventh does not get through, nor what the agent says behind it.
                if Int(message.progress) % 7 == 3 { context.connection.close() }
                return Nothing()
            }
            service.handle(Envelope.UserAction.self) { action, context async throws in
                // An event, and a message that the agent acknowledges, for this agent alone.
                try context.connection.send(Envelope.EscalationNotice(reason: "timeout", details: action.action))
                _ = try await context.connection.call("CONFIGURATION_UPDATE", codec: .json, payload: Envelope.ConfigurationUpdate(key: action.action, value: .null).encoded())
                return Nothing()
            }
        } _: { running in
            try await withThrowingTaskGroup { group in
                for number in 0..<Self.staying { group.addTask { try await Self.stay("stays \(number)", running) } }
                for number in 0..<Self.visiting { group.addTask { for visit in 0..<Self.visits { try await Self.visit("visits \(number) \(visit)", running) } } }
                try await group.waitForAll()
            }
            while !running.service.connections.isEmpty { await Task.yield() }
            #expect(try running.service.broadcast(Envelope.StatusUpdate(overallStatus: "ready")) == 0)
        }
        for number in 0..<Self.staying {
            let seen = progress.all.filter { $0.userId == "stays \(number)" }.map(\.progress)
            #expect(seen == (1...Self.messages).map { Swift.Double($0) })
        }
        #expect(progress.count == Self.staying * Self.messages)
    }

    /// An agent that keeps what it has to say until it has been heard.
    @concurrent private static func stay(_ name: String, _ running: Running) async throws {
        let client = Client(to: running.endpoint, reconnect: .soon, configuration: configuration())
        let run = Task { try await client.run() }
        for number in 1...messages {
            _ = try await client.send(Envelope.BackupProgress(userId: name, category: "c", progress: Swift.Double(number)), delivery: .acknowledged)
        }
        try await client.flush(timeout: .seconds(240))
        client.close()
        try await run.value
    }

    /// An agent that asks, is told, and leaves.
    @concurrent private static func visit(_ name: String, _ running: Running) async throws {
        let told = Recorded<String>()
        let client = Client(to: running.endpoint, configuration: configuration())
        client.receive(Envelope.ConfigurationUpdate.self) { update, _ in told.append(update.key) }
        var notices = client.events(of: Envelope.EscalationNotice.self).makeAsyncIterator()
        let run = Task { try await client.run() }
        for await state in client.connectionStates where state == .connected { break }
        for round in 0..<5 {
            let answer = try await client.call(Envelope.AgentStarted(userId: "\(name) \(round)"))
            #expect(try answer.payload() == Envelope.StatusUpdate(overallStatus: "ready", readyUsers: ["\(name) \(round)"], totalUsers: 1))
            _ = try await client.call(Envelope.UserAction(userId: name, action: "\(name) \(round)"))
            #expect(await notices.next() == .event(Envelope.EscalationNotice(reason: "timeout", details: "\(name) \(round)")))
            #expect(told.all.last == "\(name) \(round)" && told.count == round + 1)
        }
        client.close()
        try await run.value
    }
}
