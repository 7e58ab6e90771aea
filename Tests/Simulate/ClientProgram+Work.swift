// What a client's program does while it lives: several things at once, each in its own time, and at the end it waits for what is not acknowledged and leaves.

import Ginnel
import GinnelCore
import GinnelTesting

extension ClientProgram {
    func work(_ client: Client, _ life: Life) async {
        await withTaskGroup(of: Void.self) { group in
            for priority in [Priority.high, .normal] { group.addTask { [self] in await send(client, priority, life) } }
            // Two callers, so that calls overtake each other.
            for _ in 0..<2 { group.addTask { [self] in await call(client, life) } }
            group.addTask { [self] in await stream(client, life) }
            group.addTask { [self] in await upload(client, life) }
        }
        do {
            try await client.flush(timeout: .seconds(400))
        } catch {
            if life.isAlive { world.trace.find("client \(index) cannot flush: \(error)") }
        }
        life.isLeaving = true
        client.close()
    }

    // MARK: Messages

    private func send(_ client: Client, _ priority: Priority, _ life: Life) async {
        while life.isAlive, let left = messagesLeft[priority], left > 0 {
            messagesLeft[priority] = left - 1
            let key = nextKey()
            let isDurable = isKept && world.host.random.oneIn(2)
            let padding = world.host.random.number(in: 0...world.plan.longest)
            world.messages.sent(key, isDurable: isDurable)
            do {
                let receipt = try await client.send(Parcel(key, padding: padding), delivery: isDurable ? .durable : .acknowledged, priority: priority)
                guard life.isAlive else { return }
                world.messages.kept(key)
                world.watch(receipt, of: key, life)
            } catch {
                guard life.isAlive else { return }
                world.messages.finished(key, .failure(error as? CallError ?? CallError(.internal, "\(error)")))
            }
            if world.host.random.oneIn(2) { try? await world.pause(world.plan.leisure) }
        }
    }

    // MARK: Calls

    private func call(_ client: Client, _ life: Life) async {
        while life.isAlive, callsLeft > 0 {
            callsLeft -= 1
            let key = nextKey()
            let isIdempotent = world.host.random.oneIn(2)
            world.calls.made(key, isIdempotent: isIdempotent)
            let deadline: Duration? = world.host.random.oneIn(3) ? .nanoseconds(Int64(world.host.someTime(2_000_000_000))) : nil
            let result: Result<Answer, any Error>
            if world.host.random.oneIn(5) {
                result = await cancelled(client, key, isIdempotent, deadline)
            } else {
                result = await outcome(client, key, isIdempotent, deadline)
            }
            guard life.isAlive else { return }
            world.calls.ended(key, result)
            if world.plan.fault == .callsAgain, case .failure(let error as CallError) = result, error.outcome == .unknown { _ = await outcome(client, key, isIdempotent, nil) }
            try? await world.pause(world.plan.leisure)
        }
    }

    private func outcome(_ client: Client, _ key: Key, _ isIdempotent: Bool, _ deadline: Duration?) async -> Result<Answer, any Error> {
        do {
            if key.number % 11 == 10 { return .success(try await client.call(Guess(key), deadline: deadline)) }
            return .success(isIdempotent ? try await client.call(Look(key), deadline: deadline) : try await client.call(Ask(key), deadline: deadline))
        } catch {
            return .failure(error)
        }
    }

    /// The same, by a task that is cancelled after a while.
    private func cancelled(_ client: Client, _ key: Key, _ isIdempotent: Bool, _ deadline: Duration?) async -> Result<Answer, any Error> {
        let delay = world.host.someTime(world.plan.handling)
        return await withTaskGroup(of: Result<Answer, any Error>?.self) { group in
            group.addTask { [self] in await outcome(client, key, isIdempotent, deadline) }
            group.addTask { [world] in
                try? await world.host.sleep(for: .nanoseconds(Int64(delay)))
                return nil
            }
            var result: Result<Answer, any Error>?
            for await each in group {
                result = each ?? result
                group.cancelAll()
            }
            return result ?? .failure(CancellationError())
        }
    }

    // MARK: Streams

    private func stream(_ client: Client, _ life: Life) async {
        while life.isAlive, streamsLeft > 0 {
            streamsLeft -= 1
            let key = nextKey()
            let end = world.host.random.number(in: 0...40)
            world.calls.opened(key, from: 0, to: end)
            var isComplete = false
            let request = Count(key, 0, end, skip: world.plan.fault == .resumesTooFar ? 1 : 0)
            do {
                if key.number % 2 == 0 {
                    try await read(client.open(request), key, life)
                } else {
                    try await read(client.open(CountHere(request)), key, life)
                }
                isComplete = !Task.isCancelled
            } catch {}
            guard life.isAlive else { return }
            world.calls.streamEnded(key, complete: isComplete)
        }
    }

    private func read<R: ResumableStreamRequest>(_ items: ResumedItems<R>, _ key: Key, _ life: Life) async throws where R.Item == Tick {
        for try await tick in items {
            guard life.isAlive else { return }
            world.calls.received(tick.value, of: key)
            if world.host.random.oneIn(4) { try await world.pause(world.plan.leisure / 8) }
        }
    }

    private func upload(_ client: Client, _ life: Life) async {
        while life.isAlive, uploadsLeft > 0 {
            uploadsLeft -= 1
            let count = world.host.random.number(in: 0...30)
            let (items, continuation) = AsyncStream.makeStream(of: Tick.self)
            for value in 0..<count { continuation.yield(Tick(value)) }
            continuation.finish()
            do {
                let sum = try await client.upload(Sum(nextKey()), items: items)
                if life.isAlive, sum.value != (0..<count).reduce(0, +) { world.trace.find("an upload of \(count) numbers adds up to \(sum.value)") }
            } catch {
                world.trace.came(upon: .uploadBroke)
            }
            world.trace.note(.upload, index, count)
        }
    }
}
