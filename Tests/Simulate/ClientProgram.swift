// A client's program, one start after the other. How much is left to do, and the disk, outlive a start; all else begins anew.

import Ginnel
import GinnelCore
import GinnelTesting

/// `@unchecked Sendable`: one thread touches it.
final class ClientProgram: @unchecked Sendable {
    unowned let world: World
    let index: Int
    private(set) var life: Life?
    private(set) var starts = 0
    private var client: Client?
    private let disk: Disk?
    private var store: DiskStore?
    /// What came back from the disk may be over the limits.
    private var restored = 0
    var messagesLeft: [Priority: Int]
    var callsLeft: Int
    var streamsLeft: Int
    var uploadsLeft: Int
    private var numbers = 0

    init(_ world: World, _ index: Int) {
        self.world = world
        self.index = index
        let plan = world.plan
        disk = plan.isKept[index] ? Disk() : nil
        messagesLeft = [.high: plan.messages, .normal: plan.messages]
        (callsLeft, streamsLeft, uploadsLeft) = (plan.calls, plan.streams, plan.uploads)
    }

    private var plan: Plan { world.plan }
    var isKept: Bool { disk != nil }
    /// All is done, and the program has ended.
    var isDone: Bool { life?.hasEnded == true && life?.isAlive == true }

    /// A key for something new.
    func nextKey() -> Key {
        numbers += 1
        return Key(index, numbers)
    }

    func start() {
        let life = Life(starts)
        starts += 1
        self.life = life
        restored = disk?.keys.count ?? 0
        let client = make(life)
        self.client = client
        world.begin(life) { [self] life in
            await withTaskGroup(of: Void.self) { group in
                group.addTask { [self] in await run(client, life) }
                group.addTask { [self] in await watch(client, life) }
                group.addTask { [self] in await work(client, life) }
            }
            // A disk that fails to the last keeps what it was to forget.
            let mayForget = plan.diskFailures == 0 || world.network.isCalm
            if life.isAlive, mayForget, disk?.keys.isEmpty == false { world.trace.find("client \(index) has ended and left messages on its disk") }
        }
    }

    func kill() {
        guard let life, life.isAlive, !life.hasEnded else { return }
        world.trace.note(.lifeEnded, index, life.number)
        life.die()
        world.messages.receiverEnded(life)
        store?.stop()
        world.network.kill(life)
        world.messages.died(index, onDisk: disk?.keys ?? [])
        world.calls.died(index)
    }

    func forget() { client = nil }

    /// What it keeps is within its limits.
    func check() {
        guard let client, let life, life.isAlive else { return }
        if client.unacknowledged > max(plan.outbox.messages, restored) { world.trace.find("client \(index) keeps \(client.unacknowledged) messages") }
        if client.bytesUnacknowledged > plan.outbox.bytes, restored == 0 { world.trace.find("client \(index) keeps \(client.bytesUnacknowledged) bytes") }
    }

    private func make(_ life: Life) -> Client {
        var configuration = ClientConfiguration()
        configuration.limits = plan.limits
        configuration.timeouts = plan.timeouts
        configuration.connectTimeout = .seconds(1)
        configuration.checksums = plan.checksums
        configuration.batching = plan.batching
        configuration.engine = plan.engine
        configuration.loop = .own(LoopConfiguration())
        configuration.outbox.limits = plan.outbox
        configuration.transports = [.socket]
        configuration.log = .off
        store = nil
        if let disk {
            let store = DiskStore(disk, world, life)
            self.store = store
            configuration.outbox.store = { store }
        }
        let client = Client(to: .inProcess(Network.serviceName), reconnect: .exponential(plan.backoff, attempts: nil), configuration: configuration)
        client.receive(Letter.self) { [world] letter, context in
            guard life.isAlive else { throw CancellationError() }
            world.messages.handed(letter.key, context, to: life)
            try await world.pause(world.plan.handling / 4)
            guard life.isAlive else { throw CancellationError() }
            world.messages.handled(letter.key, .success(()), by: life)
            // It is handled, and not known to be.
            try? await world.pause(world.plan.handling / 4)
        }
        return client
    }

    private func run(_ client: Client, _ life: Life) async {
        do {
            try await client.run()
        } catch {
            if life.isAlive { world.trace.find("client \(index) ends with \(error)") }
        }
        if life.isAlive, !life.isLeaving { world.trace.find("client \(index) has ended without being asked to") }
    }

    /// No delay is over its bound, and none lasts longer than it was said to.
    private func watch(_ client: Client, _ life: Life) async {
        let slack: UInt64 = 100_000_000
        var attempt = 1
        var end: UInt64?
        for await state in client.connectionStates {
            guard life.isAlive else { return }
            let now = world.host.now
            switch state {
            case .connecting(let number):
                if let end, now > end + slack { world.trace.find("client \(index) waited until \(now) and not until \(end)") }
                attempt = number
                end = nil
            case .waiting(let until, _):
                let bound = plan.backoff.bound(after: attempt).wholeNanoseconds
                if until.continuous > now + bound { world.trace.find("client \(index) waits for longer than \(bound) after attempt \(attempt)") }
                end = until.continuous
            default: end = nil
            }
            world.trace.note(.state, index, attempt)
        }
    }
}
