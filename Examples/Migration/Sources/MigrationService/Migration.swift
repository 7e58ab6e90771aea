// What the service knows of its agents, and what it answers them.

import Ginnel
import MigrationCommon

actor Migration {
    private enum State: Equatable {
        /// Asked for a backup that has not begun.
        case waiting
        case inProgress
        case ready
    }

    private struct Agent {
        var state = State.waiting
        var deadline: Envelope.Time?
        /// Of its last AGENT_STARTED.
        var connection: Connection?
        var starts = 0
    }

    private var agents: [String: Agent] = [:]
    private let expected: Int
    private let finished: AsyncStream<Void>
    private let finish: AsyncStream<Void>.Continuation

    init(agents: Int) {
        expected = agents
        (finished, finish) = AsyncStream.makeStream()
    }

    /// The handlers. Every one of them asks the kernel who speaks.
    nonisolated func serve(_ service: Service) {
        service.handle(Envelope.AgentStarted.self) { message, context in
            try await self.started(Claim.agent(message.userId, context.peer), message, context.connection)
        }
        service.handle(Envelope.BackupStarted.self) { message, context in
            try await self.begun(Claim.agent(message.userId, context.peer), message)
            return Nothing()
        }
        service.handle(Envelope.BackupProgress.self) { message, context in
            try await self.went(Claim.agent(message.userId, context.peer), message)
            return Nothing()
        }
        service.handle(Envelope.BackupCompleted.self) { message, context in
            try await self.completed(Claim.agent(message.userId, context.peer), message)
            return Nothing()
        }
        service.handle(Envelope.DelayRequest.self) { message, context in
            try await self.delayed(Claim.agent(message.userId, context.peer), message)
        }
        service.handle(Envelope.UserAction.self) { message, context in
            say("service: \(try Claim.agent(message.userId, context.peer)) has done this: \(message.action)")
            return Nothing()
        }
        service.handle(Envelope.ErrorReport.self) { message, context in
            say("service: \(try Claim.agent(message.userId, context.peer)) reports \(message.errorCode): \(message.message)")
            return Nothing()
        }
    }

    // MARK: What agents say

    private func started(_ name: String, _ message: Envelope.AgentStarted, _ connection: Connection) throws -> Envelope.Answer {
        var agent = agents[name] ?? Agent()
        agent.connection = connection
        agent.starts += 1
        if agent.deadline == nil { agent.deadline = Envelope.Time.now.advanced(by: .seconds(7 * 86_400)) }
        agents[name] = agent
        say("service: \(name) is there\(agent.starts > 1 ? " again" : ""), agent \(message.agentVersion)")
        return agent.state == .waiting ? try Envelope.Answer(request(name)) : try Envelope.Answer(status)
    }

    private func request(_ name: String) -> Envelope.BackupRequest {
        Envelope.BackupRequest(userId: name, deadline: agents[name]?.deadline, categories: ["files", "browsers", "email", "system"])
    }

    private func begun(_ name: String, _ message: Envelope.BackupStarted) {
        agents[name, default: Agent()].state = .inProgress
        say("service: \(name) begins a backup of \(message.categories.joined(separator: ", "))")
    }

    private func went(_ name: String, _ message: Envelope.BackupProgress) {
        if agents[name]?.state != .ready { agents[name, default: Agent()].state = .inProgress }
        say("service: \(name) has \(Int(message.progress)) percent")
    }

    private func completed(_ name: String, _ message: Envelope.BackupCompleted) {
        let items = message.categories.map { "\($0.value.itemCount) in \($0.key)" }.sorted().joined(separator: ", ")
        say("service: \(name) \(message.success ? "is done" : "has failed"): \(items)")
        guard message.success else { return }
        agents[name, default: Agent()].state = .ready
        let status = status
        for agent in agents.values { _ = try? agent.connection?.send(status) }
        if status.overallStatus == "ready" { finish.finish() }
    }

    private func delayed(_ name: String, _ message: Envelope.DelayRequest) throws -> Envelope.Answer {
        switch DelayRules.verdict(on: message, now: .now) {
        case .granted(let deadline):
            agents[name, default: Agent()].deadline = deadline
            say("service: \(name) has more time")
            return try Envelope.Answer(request(name))
        case .escalated:
            say("service: \(name) has had \(message.delaysUsed) delays; people are told")
            return try Envelope.Answer(Envelope.EscalationNotice(reason: "max_delays_exceeded", details: "\(name) has used \(message.delaysUsed) delays of \(DelayRules.most)"))
        }
    }

    private var status: Envelope.StatusUpdate {
        let ready = agents.filter { $0.value.state == .ready }.keys.sorted()
        let blocking = agents.filter { $0.value.state != .ready }.keys.sorted()
        return Envelope.StatusUpdate(
            overallStatus: ready.count >= expected ? "ready" : "waiting", blockingUsers: blocking, readyUsers: ready, totalUsers: max(expected, agents.count))
    }

    // MARK: The end

    /// Waits until everybody has a backup, asks every agent to end, and stops the service. An agent that is away hears nothing of it.
    func end(_ service: Service) async {
        for await _ in finished {}
        for (name, agent) in agents.sorted(by: { $0.key < $1.key }) {
            guard let connection = agent.connection, let payload = try? Envelope.ShutdownRequest(reason: "the migration is ready").encoded() else { continue }
            do {
                _ = try await connection.call(Envelope.ShutdownRequest.type, codec: .json, payload: payload, deadline: .seconds(5))
                say("service: \(name) ends")
            } catch {
                say("service: \(name) did not say that it ends: \(error)")
            }
        }
        service.beginGracefulShutdown()
    }
}
