// The service's program, one start after the other. It remembers nothing over a start.

import Ginnel
import GinnelCore
import GinnelTesting

/// `@unchecked Sendable`: one thread touches it.
final class ServiceProgram: @unchecked Sendable {
    private unowned let world: World
    private(set) var life: Life?
    private var service: Service?
    private var starts = 0
    private var letters = 0

    init(_ world: World) { self.world = world }

    private var plan: Plan { world.plan }

    func start() {
        let life = Life(starts)
        starts += 1
        letters = 0
        let service = make(life)
        (self.life, self.service) = (life, service)
        world.network.service = life
        world.begin(life) { [world] _ in
            do {
                try await service.run()
            } catch {
                world.trace.find("the service ends with \(error)")
            }
        }
    }

    /// The end that a service manager brings about.
    func leave() {
        life?.isLeaving = true
        service?.beginGracefulShutdown()
    }

    func kill() {
        guard let life, life.isAlive, !life.hasEnded else { return }
        world.trace.note(.lifeEnded, 100 + life.number)
        InProcessHub.shared.clear(Network.serviceName)
        world.network.service = nil
        life.die()
        world.messages.receiverEnded(life)
        world.network.kill(life)
        world.messages.died(100 + life.number, onDisk: [])
    }

    func forget() { service = nil }

    /// What it holds is within its limits.
    func check() {
        guard let service, let life, life.isAlive else { return }
        let connections = service.connections
        for connection in connections where connection.bytesWaiting > plan.limits.bufferedBytes { world.trace.find("\(connection.bytesWaiting) bytes wait for a client") }
        // What came on connections that are there, and one message in hand for each lane of each start of a client.
        let windows = connections.count * plan.limits.announced.deliveryWindow
        let inHand = world.clients.reduce(0) { $0 + $1.starts } * 3 * plan.limits.announced.maximumMessage
        if service.bytesReceived > windows + inHand { world.trace.find("the service holds \(service.bytesReceived) bytes of messages for \(connections.count) connections") }
    }

    // MARK: What it does

    private func make(_ life: Life) -> Service {
        var configuration = ServiceConfiguration()
        configuration.limits = plan.limits
        configuration.timeouts = plan.timeouts
        configuration.shutdownTimeout = .seconds(2)
        configuration.engine = plan.engine
        configuration.loops.count = plan.loops
        configuration.loops.reportAfter = .seconds(3600)
        configuration.checksums = plan.checksums
        configuration.batching = plan.batching
        configuration.log = .off
        let service = Service(at: .inProcess(Network.serviceName), configuration: configuration)
        receiveParcels(service, life)
        service.handle(Ask.self, on: .concurrent) { [self] request, context in try await answer(request.key, context, life) }
        service.handle(Look.self) { [self] request, context in try await answer(request.key, context, life) }
        service.handle(Count.self) { [self] request, _, writer in try await count(request, writer, life) }
        service.handle(CountHere.self) { [self] request, _, writer in try await count(request.count, writer, life) }
        service.handle(Sum.self) { _, _, items in
            var sum = 0
            for try await item in items { sum += item.value }
            return Tick(sum)
        }
        return service
    }

    private func receiveParcels(_ service: Service, _ life: Life) {
        service.receive(Parcel.self, on: plan.seed % 3 == 0 ? .concurrent : .loop) { [world] parcel, context in
            guard life.isAlive else { throw CancellationError() }
            world.messages.handed(parcel.key, context, to: life)
            if world.plan.fault == .acknowledgesBeforeHandling {
                world.host.after(world.host.someTime(world.plan.handling)) { if life.isAlive { world.messages.handled(parcel.key, .success(()), by: life) } }
                return
            }
            try await world.pause(world.plan.handling)
            guard life.isAlive else { throw CancellationError() }
            let refuses = parcel.key.number % 7 == 6
            let error = CallError(MessageBooks.refusal, "not this one")
            world.messages.handled(parcel.key, refuses ? .failure(error) : .success(()), by: life)
            // It is handled, and not known to be.
            try? await world.pause(20_000_000)
            if refuses { throw error }
        }
    }

    private func answer(_ key: Key, _ context: CallContext, _ life: Life) async throws -> Answer {
        guard life.isAlive else { throw CancellationError() }
        world.calls.began(key)
        if key.number % 3 == 0 { await write(to: context.connection, life) }
        try await world.pause(plan.handling)
        guard life.isAlive else { throw CancellationError() }
        let fails = key.number % 5 == 4
        world.calls.handled(key, failing: fails)
        if fails { throw CallError(FailureCode(rawValue: 1_002), "not today") }
        return Answer(key)
    }

    private func count(_ request: Count, _ writer: ItemWriter<Tick>, _ life: Life) async throws {
        if life.isAlive { world.calls.served(request.key, from: request.first) }
        for value in request.first..<max(request.first, request.end) {
            try await writer.send(Tick(value))
            if world.host.random.oneIn(3) { try await world.pause(plan.handling / 8) }
        }
    }

    /// Sends a letter, and has somebody else wait for what becomes of it.
    private func write(to connection: Connection, _ life: Life) async {
        let key = Key(100 + life.number, letters)
        letters += 1
        world.messages.sent(key, isDurable: false)
        do {
            let receipt = try await connection.send(Letter(key), delivery: .acknowledged)
            guard life.isAlive else { return }
            world.messages.kept(key)
            world.watch(receipt, of: key, life)
        } catch let error as CallError where life.isAlive {
            world.messages.finished(key, .failure(error), senderIsLeaving: true)
        } catch {
            // The connection has ended before it was known whether its peer acknowledges anything.
            if life.isAlive { world.messages.finished(key, .failure(CallError(.unavailable, "\(error)")), senderIsLeaving: true) }
        }
    }
}
