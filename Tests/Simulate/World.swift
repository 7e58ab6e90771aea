// A run: a service and one or two clients, real ones, on a machine whose threads, clocks, chance, connections and disks are not. An adversary plays with these for some seconds; then it lets go, and everything has to come to rest.

import Ginnel
import GinnelCore
import GinnelTesting
import GinnelTransport

/// `@unchecked Sendable`: one thread touches it.
final class World: @unchecked Sendable {
    let plan: Plan
    let host: Host
    let trace = Trace()
    let network: Network
    let messages: MessageBooks
    let calls: CallBooks
    private(set) var service: ServiceProgram!
    private(set) var clients: [ClientProgram] = []
    private var adversary: Adversary!
    private var lives: [Life] = []

    init(seed: UInt64, fault: Fault?, isSpoken: Bool) {
        plan = Plan(seed: seed, fault: fault)
        host = Host(seed: seed, seconds: Plan.patience)
        trace.isSpoken = isSpoken
        trace.clock = { [unowned host] in host.now }
        network = Network(plan, host, trace)
        messages = MessageBooks(plan, trace)
        calls = CallBooks(trace)
        service = ServiceProgram(self)
        clients = (0..<plan.clients).map { ClientProgram(self, $0) }
        adversary = Adversary(self)
    }

    func run() {
        guard host.takeOver() else { return trace.find("this runtime does not let its jobs be taken") }
        // A run that did not come to rest leaves its service there.
        InProcessHub.shared.clear(Network.serviceName)
        if plan.fault == .losesTimers { host.timersLost = 20 }
        // Now and then the clients come first.
        host.after(host.random.oneIn(2) ? 0 : host.someTime(1_000_000_000)) { [self] in startService() }
        for client in clients { host.after(host.someTime(200_000_000)) { client.start() } }
        adversary.begin()
        inspect()
        guard host.run(until: { [self] in host.now > Plan.duration && clients.allSatisfy(\.isDone) && service.life?.isAlive == true }) else { return end("does not come to rest") }
        isOver = true
        service.leave()
        guard host.run(until: { [self] in lives.allSatisfy(\.hasEnded) && host.isIdle }) else { return end("does not end") }
        end(nil)
    }

    private var isOver = false

    private func end(_ problem: String?) {
        if let problem {
            let waiting = clients.filter { !$0.isDone }.map { "client \($0.index)" } + lives.filter { !$0.isAlive && !$0.hasEnded }.map { "a dead start number \($0.number)" }
            trace.find("the run \(problem): \(waiting.joined(separator: ", "))")
        }
        messages.close()
        calls.close()
        host.clear()
        // Their handlers hold this world.
        service.forget()
        for client in clients { client.forget() }
    }

    // MARK: Programs

    func startService() {
        if let life = service.life, life.isAlive, !life.hasEnded { return }
        service.start()
    }

    func begin(_ life: Life, _ body: @escaping @Sendable (Life) async -> Void) {
        trace.note(.lifeBegan, life.number)
        lives.append(life)
        life.begin { [self] life in
            await body(life)
            if life.isAlive { messages.receiverEnded(life) }
            // A service that has left comes back.
            if life === service.life, life.isAlive, !isOver { host.after(host.someTime(1_000_000_000)) { [self] in startService() } }
        }
    }

    /// Waits for what becomes of a message, and writes it down as long as its sender lives.
    func watch(_ receipt: DeliveryReceipt, of key: Key, _ life: Life) {
        Task { [self] in
            var result = Result<Void, CallError>.success(())
            do throws(CallError) {
                try await receipt.acknowledged()
            } catch {
                result = .failure(error)
            }
            if life.isAlive { messages.finished(key, result, senderIsLeaving: life.isLeaving) }
        }
    }

    /// Takes some time.
    func pause(_ most: Int) async throws { try await host.sleep(for: .nanoseconds(Int64(host.someTime(most)))) }

    /// Looks every now and then whether all keep to their limits.
    private func inspect() {
        service.check()
        for client in clients { client.check() }
        if !isOver { host.after(20_000_000) { [self] in inspect() } }
    }
}
