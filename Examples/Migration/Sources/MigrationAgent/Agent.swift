// An agent: says that it is there, on every connection, and makes one backup. What it tells the service of that is kept until it is acknowledged, whatever becomes of the connection.

import Foundation
import Ginnel
import MigrationCommon

struct Agent: Sendable {
    /// `user` or `user/session`.
    let name: String
    let version = "1.0"
    let client: Client
    let source: URL
    let target: URL
    let pause: Duration
    /// How often it asks for more time before it begins.
    let delays: Int

    func run() async throws {
        let ended = AsyncStream.makeStream(of: Void.self)
        client.receive(Envelope.ShutdownRequest.self) { request, _ in
            say("\(name): the service wants me to end: \(request.reason)")
            ended.continuation.finish()
        }
        let asked = AsyncStream.makeStream(of: Envelope.BackupRequest?.self)
        try await withThrowingTaskGroup { group in
            group.addTask { try await client.run() }
            group.addTask { try await introduce(asked.continuation) }
            group.addTask { await follow() }
            group.addTask {
                for await request in asked.stream {
                    try await backUp(request)
                    break
                }
                for await _ in ended.stream {}
                client.close()
            }
            // The first error ends the others.
            for try await _ in group {}
        }
    }

    /// Says who is there, on each new connection. What a service answers that knows of no backup yet is a request for one; an agent that was cut off goes on in any case.
    private func introduce(_ asked: AsyncStream<Envelope.BackupRequest?>.Continuation) async throws {
        for await state in client.connectionStates where state == .connected {
            do {
                let answer = try await client.call(Envelope.AgentStarted(userId: name, agentVersion: version, sessionId: "1"))
                asked.yield(try answer.payload(as: Envelope.BackupRequest.self))
            } catch let error as CallError where error.code == .connectionLost || error.code == .unavailable {
                continue
            } catch let error as CallError {
                say("\(name): the service refuses me: \(error.sentence)")
                throw error
            }
        }
    }

    /// What the service tells everybody.
    private func follow() async {
        for await delivery in client.events(of: Envelope.StatusUpdate.self) {
            if case .event(let status) = delivery { say("\(name): \(status.overallStatus), \(status.readyUsers.count) of \(status.totalUsers) are ready") }
        }
    }

    // MARK: The backup

    private func backUp(_ request: Envelope.BackupRequest?) async throws {
        try await putOff()
        let backup = try Backup(from: source, to: target, categories: request?.categories ?? ["files", "browsers", "email", "system"], pause: pause)
        try await tell(Envelope.BackupStarted(userId: name, categories: backup.categories, estimatedSizeMB: Double(backup.total) / 1_000_000))
        var display = Display(name)
        var told = -1
        let result = try await backup.run { progress in
            display.show(progress)
            // The service is told in steps of ten.
            let step = Int(progress.percent) / 10
            guard step > told else { return }
            told = step
            let message = Envelope.BackupProgress(
                userId: name, category: progress.category, progress: Double(step * 10), currentFile: progress.file, bytesTransferred: progress.bytes, bytesTotal: progress.total)
            try await tell(message)
        }
        say("\(name): \(result.copied) files copied, \(result.kept) were there, \(result.continued) taken up in the middle")
        let categories = result.counts.mapValues { Envelope.CategoryResult(success: true, itemCount: $0) }
        let manifest = target.appendingPathComponent("manifest.jsonl").path
        let receipt = try await client.send(Envelope.BackupCompleted(userId: name, success: true, manifestPath: manifest, categories: categories), delivery: .acknowledged)
        try await receipt.acknowledged()
    }

    private func tell(_ message: some EnvelopePayload) async throws { _ = try await client.send(message, delivery: .acknowledged) }

    private func putOff() async throws {
        for used in 0..<delays {
            let answer = try await client.call(Envelope.DelayRequest(userId: name, reason: "a meeting", requestedDelay: 100 * 3600, delaysUsed: used))
            if let request = try answer.payload(as: Envelope.BackupRequest.self) {
                let hours = request.deadline.map { Int((($0.secondsSince1970 - Envelope.Time.now.secondsSince1970) / 3600).rounded()) } ?? 0
                say("\(name): delay \(used + 1): I asked for 100 hours and have \(hours)")
            } else if let notice = try answer.payload(as: Envelope.EscalationNotice.self) {
                say("\(name): delay \(used + 1): \(notice.reason); I begin")
            }
        }
    }
}
