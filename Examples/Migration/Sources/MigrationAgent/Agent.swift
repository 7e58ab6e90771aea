// An agent: says that it is there, on every connection, and makes a backup whenever it is asked for one. What it tells the service of that is kept until it is acknowledged, whatever
// becomes of the connection.

import Foundation
import Ginnel
import MigrationCommon

struct Agent: Sendable {
    /// Why it looks whether there is something to do.
    enum Cause: Sendable {
        case asked(Envelope.BackupRequest)
        /// The service wants nothing of it now. A backup that an earlier life began goes on.
        case nothing
    }

    /// Files whose failure is reported one by one; the rest are counted.
    static let mostReports = 10
    /// No service makes an agent stay longer, in seconds.
    static let longestGrace = 3600

    /// `user` or `user/session`.
    let name: String
    let version = "1.0"
    let client: Client
    let source: URL
    let target: URL
    let pause: Duration
    /// How often it asks for more time before it begins.
    let delays: Int
    let preferences = Preferences()

    func run() async throws {
        let shutdown = AsyncStream.makeStream(of: Int.self)
        client.receive(Envelope.ShutdownRequest.self) { request, _ in
            say("\(name): the service wants me to end: \(request.reason)")
            shutdown.continuation.yield(min(max(request.gracePeriodSeconds, 0), Self.longestGrace))
        }
        // Who is asked twice while it is at it does it once more.
        let causes = AsyncStream.makeStream(of: Cause.self, bufferingPolicy: .bufferingNewest(1))
        try await withThrowingTaskGroup { group in
            group.addTask { try await client.run() }
            group.addTask { await tellOfAbsence() }
            group.addTask { try await introduce(causes.continuation) }
            group.addTask { await follow(causes.continuation) }
            group.addTask { try await work(causes, until: shutdown.stream) }
            // The first error ends the others.
            for try await _ in group {}
        }
    }

    /// Says, once for each time, that there is no service.
    private func tellOfAbsence() async {
        var isSaid = false
        for await state in client.connectionStates {
            switch state {
            case .waiting(_, let failure) where !isSaid:
                say("\(name): no service: \(failure.sentence); I try again")
                isSaid = true
            case .connected: isSaid = false
            default: break
            }
        }
    }

    // MARK: What the service says

    /// Says who is there, on each new connection. What a service answers that has no backup yet is a request for one.
    private func introduce(_ causes: AsyncStream<Cause>.Continuation) async throws {
        for await state in client.connectionStates where state == .connected {
            do {
                let answer = try await client.call(Envelope.AgentStarted(userId: name, agentVersion: version, sessionId: Account.session))
                if let status = try answer.payload(as: Envelope.StatusUpdate.self) { show(status) }
                causes.yield(try answer.payload(as: Envelope.BackupRequest.self).map { .asked($0) } ?? .nothing)
            } catch let error as CallError where error.code == .connectionLost || error.code == .unavailable {
                continue
            } catch let error as CallError {
                say("\(name): the service refuses me: \(error.sentence)")
                throw error
            }
        }
    }

    /// What the service says unasked.
    private func follow(_ causes: AsyncStream<Cause>.Continuation) async {
        await withTaskGroup { group in
            group.addTask { await each(Envelope.StatusUpdate.self) { show($0) } }
            group.addTask { await each(Envelope.EscalationNotice.self) { say("\(name): people are told of \($0.reason): \($0.details)") } }
            group.addTask { await each(Envelope.ConfigurationUpdate.self) { say("\(name): \(preferences.set($0))") } }
            group.addTask {
                await each(Envelope.BackupRequest.self) { request in
                    // It may go to all, for one of them.
                    guard request.userId.isEmpty || request.userId == name else { return }
                    causes.yield(.asked(request))
                }
            }
        }
    }

    private func each<Received: Event>(_ type: Received.Type, _ body: (Received) -> Void) async {
        for await delivery in client.events(of: type) { if case .event(let event) = delivery { body(event) } }
    }

    private func show(_ status: Envelope.StatusUpdate) { say("\(name): \(status.overallStatus), \(status.readyUsers.count) of \(status.totalUsers) are ready") }

    // MARK: The work

    private typealias Causes = (stream: AsyncStream<Cause>, continuation: AsyncStream<Cause>.Continuation)

    /// Makes backups until it is to end. One that has begun then has as long as the service says.
    private func work(_ causes: Causes, until shutdown: AsyncStream<Int>) async throws {
        try await withThrowingTaskGroup { group in
            group.addTask { try await answer(causes.stream) }
            group.addTask {
                for await grace in shutdown {
                    causes.continuation.finish()
                    try? await Task.sleep(for: .seconds(grace))
                    if !Task.isCancelled { say("\(name): not ready after \(grace) s; what is there is not copied again") }
                    break
                }
            }
            // Either all that was asked for is done, or the time is over.
            try await group.next()
            group.cancelAll()
            client.close()
        }
    }

    private func answer(_ causes: AsyncStream<Cause>) async throws {
        var hasDelayed = false
        for await cause in causes {
            do {
                var manifest = try Manifest(in: target)
                switch cause {
                case .asked(let request):
                    say("\(name): the service asks for a backup of \(request.categories.joined(separator: ", "))")
                    if !hasDelayed { try await putOff() }
                    hasDelayed = true
                    try await backUp(request.categories.isEmpty ? Listing.known : request.categories, &manifest)
                case .nothing:
                    guard let categories = manifest.unfinished else { continue }
                    say("\(name): I go on with a backup of \(categories.joined(separator: ", "))")
                    try await backUp(categories, &manifest)
                }
            } catch {
                // Whatever fails once the time is over, fails for that reason.
                if Task.isCancelled { return }
                throw error
            }
        }
    }

    private func backUp(_ categories: [String], _ manifest: inout Manifest) async throws {
        try manifest.begin(categories)
        let backup = Backup(from: source, to: target, categories: categories, pause: pause)
        let started = try await tell(Envelope.BackupStarted(userId: name, categories: backup.listing.categories, estimatedSizeMB: Double(backup.total) / 1_000_000))
        var display = Display(name)
        var told = -1
        let result = try await backup.run(&manifest) { progress in
            display.show(progress)
            let step = preferences.reportEvery
            let percent = Int(progress.percent) / step * step
            guard percent > told else { return }
            told = percent
            let message = Envelope.BackupProgress(
                userId: name, category: progress.category, progress: Double(percent), currentFile: progress.file, bytesTransferred: progress.bytes, bytesTotal: progress.total)
            // No reason to stop: the next one says more.
            _ = try? await tell(message)
        }
        display.end()
        say("\(name): \(result.copied) files copied, \(result.kept) were there, \(result.continued) taken up in the middle")
        // A service may deal with several messages at once: what must have come before the end is waited for.
        try await started.acknowledged()
        try await report(result.failures)
        let message = Envelope.BackupCompleted(
            userId: name, success: result.failures.isEmpty, manifestPath: manifest.file.path, categories: Self.results(backup.listing.categories, result))
        try await tell(message).acknowledged()
        try manifest.end()
    }

    private static func results(_ categories: [String], _ result: Backup.Result) -> [String: Envelope.CategoryResult] {
        var results: [String: Envelope.CategoryResult] = [:]
        for category in categories {
            let failures = result.failures.filter { $0.category == category }
            let error = failures.first.map { "\($0.path): \($0.reason)\(failures.count > 1 ? ", and \(failures.count - 1) more" : "")" }
            results[category] = Envelope.CategoryResult(success: failures.isEmpty, itemCount: result.counts[category] ?? 0, error: error)
        }
        return results
    }

    private func report(_ failures: [Listing.Failure]) async throws {
        guard !failures.isEmpty else { return }
        say("\(name): \(failures.count) are not in the backup")
        for failure in failures.prefix(Self.mostReports) {
            let context: [String: Envelope.Value] = ["category": .string(failure.category), "path": .string(failure.path)]
            try await tell(Envelope.ErrorReport(userId: name, errorCode: "FILE_NOT_COPIED", message: "\(failure.path): \(failure.reason)", context: context)).acknowledged()
        }
    }

    private func tell(_ message: some EnvelopePayload) async throws -> DeliveryReceipt { try await client.send(message, delivery: .acknowledged) }

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
