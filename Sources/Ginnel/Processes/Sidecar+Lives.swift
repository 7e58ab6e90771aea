// The lives of a sidecar's program, one after the other, and what ends each.

internal import GinnelCore
internal import GinnelTransport

extension Sidecar {
    /// What one task of a life has come to.
    enum LifeEvent: Sendable {
        /// The program has ended.
        case ended(SidecarEnd)
        /// The program was not ready in time.
        case late
        /// The program was ready in time.
        case onTime
        /// Whoever attends to it wants it no more: it was cancelled, or has done what it wanted.
        case dismissed
        /// Whoever attends to it cannot go on with this life.
        case disappointed(String)
        /// Whoever attends to it has failed by its own fault.
        case failed(any Error)
    }

    /// Starts the program again and again, as its policy says. `attend` does with each life what it is there for; it is cancelled when the program ends.
    func keep(withChannel: Bool = false, _ attend: @escaping @Sendable (SidecarLife) async throws -> LifeEvent) async throws {
        var restarts = Restarts(configuration.restarts)
        while true {
            enter(.starting)
            let life = try await start(withChannel: withChannel)
            let (event, end) = await live(life, attend)
            let reason: String
            switch event {
            case .ended: reason = "\(end)"
            case .late: reason = "not ready within \(configuration.readinessTimeout) (readinessTimeout)"
            case .disappointed(let sentence): reason = "\(sentence); \(end)"
            case .dismissed, .onTime:
                enter(.ended(end))
                return
            case .failed(let error):
                enter(.ended(end))
                throw error
            }
            let hasEndedWell = if case .ended = event { end.isSuccess } else { false }
            switch restarts.next(isSuccess: hasEndedWell, readyFor: life.readyFor, random: .random(in: 0 ... .max)) {
            case .stay:
                enter(.ended(end))
                return
            case .giveUp:
                enter(.ended(end))
                throw gaveUp(reason)
            case .restart(let delay, let count):
                configuration.log(.warning, .sidecarRestarted, "a sidecar is started again: \(reason)", ["program": program, "after": "\(delay)", "count": "\(count)"])
                enter(.restarting(count: count, until: .now + delay, reason: reason))
                guard (try? await Task.sleep(for: delay)) != nil else {
                    enter(.ended(end))
                    return
                }
            }
        }
    }

    private func start(withChannel: Bool) async throws -> SidecarLife {
        do {
            return try await SidecarLife(of: self, withChannel: withChannel)
        } catch {
            enter(.ended(nil))
            throw error
        }
    }

    private func gaveUp(_ reason: String) -> GinnelError {
        let policy = configuration.restarts
        let why =
            switch policy.when {
            case .never: "it is not to be started again (restarts: .never)"
            case .always, .onFailure: "it was started again as often as its policy allows, \(policy.maximum ?? 0) times in a row (restarts.maximum)"
            }
        configuration.log(.error, .sidecarGivenUp, "a sidecar is given up: \(reason); \(why)", ["program": program])
        return GinnelError(.gaveUp, "the program does not stay up: \(reason); \(why)", path: program)
    }

    // MARK: One life

    /// What ended it, and how the program did, which has ended when this returns.
    private func live(_ life: SidecarLife, _ attend: @escaping @Sendable (SidecarLife) async throws -> LifeEvent) async -> (LifeEvent, SidecarEnd) {
        await withTaskGroup(of: LifeEvent.self) { group in
            group.addTask { .ended(await life.ended()) }
            group.addTask {
                do { return try await attend(life) } catch { return .failed(error) }
            }
            group.addTask { [configuration] in
                let isOver = (try? await Task.sleep(for: configuration.readinessTimeout)) != nil
                return isOver && life.readyFor == nil ? .late : .onTime
            }
            var cause: LifeEvent?
            var end: SidecarEnd?
            while let event = await group.next() {
                if case .onTime = event { continue }
                if case .ended(let how) = event { end = how }
                // The first event is the cause; what follows from it says nothing new.
                guard cause == nil else { continue }
                cause = event
                group.cancelAll()
                if end == nil { life.end(grace: configuration.grace) }
            }
            return (cause ?? .dismissed, end ?? SidecarEnd(256))
        }
    }

    /// Waits until it is ready and runs `body` then.
    func attend(_ life: SidecarLife, _ body: @Sendable () async -> Void) async throws -> LifeEvent {
        switch configuration.readiness {
        case .started: break
        case .line: await life.waitForLine()
        case .listening(let endpoints):
            // How long that may take is the life's business.
            let timeout = configuration.readinessTimeout * 2
            do {
                for endpoint in endpoints { try await Connector.wait(for: endpoint, timeout: timeout, interval: .milliseconds(10)).close(drain: .zero) }
            } catch let error as GinnelError {
                return .disappointed(error.sentence)
            } catch {
                return .dismissed
            }
        }
        guard !Task.isCancelled else { return .dismissed }
        noteReady(life)
        await body()
        return .dismissed
    }

    /// Talks with it over the channel.
    func converse(
        _ life: SidecarLife, _ client: ClientConfiguration, _ body: @concurrent @escaping @Sendable (Client) async throws -> Void
    ) async throws -> LifeEvent {
        do {
            try await Client.connect(to: life.channel, configuration: client) { client in
                self.noteReady(life)
                try await body(client)
            }
        } catch let error as CallError where error.code == .connectionLost || error.code == .unavailable {
            return .disappointed("the connection was lost: \(error.sentence)")
        } catch let error as GinnelError where error.code == .closed {
            return .disappointed("the connection was lost: \(error.sentence)")
        }
        return .dismissed
    }

    private func noteReady(_ life: SidecarLife) {
        life.noteReady()
        configuration.log(.info, .sidecarReady, "a sidecar is ready", ["program": program, "process": "\(life.process.id)"])
        enter(.ready(process: life.process.id))
    }
}
