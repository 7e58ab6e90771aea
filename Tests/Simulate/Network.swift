// All connections of a run: who is connected to whom, and what becomes of bytes between them.

import GinnelCore
import GinnelTesting
import GinnelTransport

/// `@unchecked Sendable`: one thread touches it.
final class Network: @unchecked Sendable {
    static let serviceName = "simulated"

    let plan: Plan
    let host: Host
    private let trace: Trace
    private(set) var links: [Link] = []
    private var count = 0
    /// The service that listens, if one does.
    var service: Life?
    /// Until then nobody is let in, although there is a service.
    var isBusyUntil: UInt64 = 0

    init(_ plan: Plan, _ host: Host, _ trace: Trace) {
        self.plan = plan
        self.host = host
        self.trace = trace
        host.connects = { [unowned self] name in try connect(name) }
    }

    /// The adversary has let go: bytes go on whole and soon.
    var isCalm: Bool { host.now > Plan.duration }
    /// Nanoseconds that a portion takes at most.
    var latency: Int { isCalm ? min(plan.latency, 4_000_000) : plan.latency }

    /// How much of so many bytes goes at once.
    func portion(of count: Int) -> Int { host.random.oneIn(plan.splits) ? host.random.number(in: 1...count) : count }

    func noteArrival(_ pipe: Int, _ bytes: ArraySlice<UInt8>) {
        trace.note(.arrival, pipe, bytes.count, Int(Checksum.castagnoli.value(of: bytes.span.bytes)))
        trace.say(bytes)
    }

    private func connect(_ name: String) throws -> any Channel {
        guard let client = Life.current, client.isAlive, let service, service.isAlive else { throw GinnelError(.notFound, "no service runs") }
        if isBusyUntil > host.now { throw GinnelError(.busy, "the service's backlog is full") }
        let link = Link(self, count, client: client, service: service)
        try InProcessHub.shared.offer(link.end(.service), to: name)
        trace.note(.connection, count, client.number, service.number)
        if links.contains(where: { !$0.isBroken && $0.client === client }) { trace.came(upon: .secondConnection) }
        count += 1
        links.append(link)
        return link.end(.client)
    }

    /// A pipe has broken in the middle of what was written.
    func broke(_ pipe: Pipe) { links.first { $0.owns(pipe) }?.cut(telling: [.client, .service], host) }

    /// The program is gone, and with it all its ends.
    func kill(_ life: Life) {
        for link in links {
            if link.client === life { link.kill(.client, host) }
            if link.service === life { link.kill(.service, host) }
        }
        links.removeAll { !$0.client.isAlive && !$0.service.isAlive }
    }

    /// A connection that the adversary has not broken yet.
    func anyLink(_ random: inout SplitMix64) -> Link? {
        links.removeAll { $0.isBroken && ($0.client.hasEnded || $0.service.hasEnded) }
        let whole = links.filter { !$0.isBroken }
        return whole.isEmpty ? nil : whole[random.number(in: 0...whole.count - 1)]
    }
}
