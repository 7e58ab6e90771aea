// What the service knows of its agents, and what it answers them.

import Ginnel
import MigrationCommon

actor Migration {
    private enum State: Equatable {
        /// Asked for a backup that has not begun.
        case waiting
        case inProgress
        case ready
        /// Has failed as often as it may; people are told.
        case blocked
    }

    private struct Agent {
        var state = State.waiting
        var deadline: Envelope.Time?
        /// Of its last AGENT_STARTED.
        var connection: Connection?
        var starts = 0
        var failures = 0
    }

    private var agents: [String: Agent] = [:]
    /// Failures after which a service does not ask again by itself.
    private static let mostFailures = 2

    private let expected: Int
    private let reportEvery: Int64?
    private let grace: Int
    /// One for each backup that has ended.
    private let ends: AsyncStream<Void>
    private let ended: AsyncStream<Void>.Continuation

    /// - Parameters:
    ///   - agents: how many must have a backup.
    ///   - reportEvery: after how many percent they say how far they are; `nil` leaves it to them.
    ///   - grace: seconds that they have to end.
    init(agents: Int, reportEvery: Int64?, grace: Int) {
        expected = agents
        self.reportEvery = reportEvery
        self.grace = grace
        (ends, ended) = AsyncStream.makeStream()
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
        return agent.state == .waiting || agent.state == .blocked ? try Envelope.Answer(request(name)) : try Envelope.Answer(status)
    }

    private func request(_ name: String) -> Envelope.BackupRequest {
        Envelope.BackupRequest(userId: name, deadline: agents[name]?.deadline, categories: ["files", "browsers", "email", "system"])
    }

    private func begun(_ name: String, _ message: Envelope.BackupStarted) {
        if agents[name]?.state != .ready { agents[name, default: Agent()].state = .inProgress }
        say("service: \(name) begins a backup of \(message.categories.joined(separator: ", "))")
        if let reportEvery { push(Envelope.ConfigurationUpdate(key: "reportEvery", value: .integer(reportEvery)), to: name) }
    }

    private func went(_ name: String, _ message: Envelope.BackupProgress) {
        say("service: \(name) has \(Int(min(max(message.progress, 0), 100))) percent")
    }

    private func completed(_ name: String, _ message: Envelope.BackupCompleted) {
        let items = message.categories.map { "\($0.value.itemCount) in \($0.key)" }.sorted().joined(separator: ", ")
        say("service: \(name) \(message.success ? "is done" : "has failed"): \(items)")
        ended.yield()
        guard message.success else { return failed(name) }
        agents[name, default: Agent()].state = .ready
        let status = status
        for agent in agents.values { _ = try? agent.connection?.send(status) }
    }

    /// Asked again by a push; when it fails again, people are told, and it is asked when it comes the next time.
    private func failed(_ name: String) {
        agents[name, default: Agent()].failures += 1
        guard let agent = agents[name], agent.state != .ready else { return }
        if agent.failures < Self.mostFailures {
            agents[name]?.state = .waiting
            push(request(name), to: name)
        } else {
            agents[name]?.state = .blocked
            push(Envelope.EscalationNotice(reason: "sync_error", details: "the backup of \(name) has failed \(agent.failures) times"), to: name)
        }
    }

    /// To an agent that is away nothing is sent: it is asked when it comes.
    private func push(_ event: some Event, to name: String) { _ = try? agents[name]?.connection?.send(event) }

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
        let isBlocked = agents.values.contains { $0.state == .blocked }
        let overall = ready.count >= expected ? "ready" : isBlocked ? "blocked" : "waiting"
        return Envelope.StatusUpdate(overallStatus: overall, blockingUsers: blocking, readyUsers: ready, totalUsers: max(expected, agents.count))
    }

    // MARK: The end

    /// Waits until everybody has a backup, asks every agent to end, waits for those that are at it, no longer than they may be, and stops the service. An agent that is
    /// away hears nothing of it.
    func end(_ service: Service) async {
        for await _ in ends where status.overallStatus == "ready" { break }
        guard !Task.isCancelled else { return }
        for (name, agent) in agents.sorted(by: { $0.key < $1.key }) {
            let request = Envelope.ShutdownRequest(reason: "the migration is ready", gracePeriodSeconds: grace)
            guard let connection = agent.connection, let payload = try? request.encoded() else { continue }
            do {
                _ = try await connection.call(Envelope.ShutdownRequest.type, codec: .json, payload: payload, deadline: .seconds(5))
                say("service: \(name) ends")
            } catch {
                say("service: \(name) did not say that it ends: \(error)")
            }
        }
        await withTaskGroup { group in
            group.addTask { await self.becomeIdle() }
            group.addTask { [grace] in try? await Task.sleep(for: .seconds(grace)) }
            await group.next()
            group.cancelAll()
        }
        service.beginGracefulShutdown()
    }

    private func becomeIdle() async {
        guard isBusy else { return }
        for await _ in ends where !isBusy { break }
    }

    private var isBusy: Bool { agents.values.contains { $0.state == .inProgress } }
}
