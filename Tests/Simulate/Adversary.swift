// Who wants that messages are lost, doubled and overtaken, and is let do so for some virtual seconds.

import GinnelCore
import GinnelTesting

/// `@unchecked Sendable`: one thread touches it.
final class Adversary: @unchecked Sendable {
    private unowned let world: World
    private var random: SplitMix64
    private var strikesLeft: Int

    init(_ world: World) {
        self.world = world
        random = SplitMix64(seed: world.plan.seed ^ 0x54)
        strikesLeft = world.plan.strikes
    }

    private var host: Host { world.host }

    func begin() { plot() }

    private func plot() {
        guard strikesLeft > 0 else { return }
        strikesLeft -= 1
        let time = UInt64(random.number(in: 0...2_000_000_000))
        host.after(time) { [self] in
            guard host.now < Plan.duration else { return }
            strike()
            plot()
        }
    }

    private func strike() {
        let kind = random.number(in: 0...11)
        world.trace.note(.strike, kind)
        switch kind {
        case 0, 1: killService()
        case 2:
            world.trace.came(upon: .serviceLeft)
            world.service.leave()
        case 3, 4: killClient()
        case 5: world.network.isBusyUntil = host.now + UInt64(random.number(in: 0...1_500_000_000))
        default: if let link = world.network.anyLink(&random) { strike(link, kind) }
        }
    }

    private func strike(_ link: Link, _ kind: Int) {
        let side: Role = random.oneIn(2) ? .client : .service
        switch kind {
        case 6: link.cut(telling: [.client, .service], host)
        case 7: link.cut(telling: random.oneIn(3) ? [] : [side], host)
        case 8: link.pipe(from: side).breakAfter(random.number(in: 1...400))
        case 9: link.pipe(from: side).stall(until: host.now + UInt64(random.number(in: 0...5_000_000_000)))
        case 10: link.pipe(from: side).muffle()
        default: link.pipe(from: side).endWriting(losing: false)
        }
    }

    private func killService() {
        world.trace.came(upon: .serviceDied)
        world.service.kill()
        // Now and then at once, so that connections of both instances are there together.
        host.after(random.oneIn(2) ? 0 : UInt64(random.number(in: 0...2_000_000_000))) { [self] in world.startService() }
    }

    private func killClient() {
        let client = world.clients[random.number(in: 0...world.clients.count - 1)]
        guard let life = client.life, life.isAlive, !life.hasEnded else { return }
        world.trace.came(upon: .clientDied)
        client.kill()
        host.after(UInt64(random.number(in: 0...1_000_000_000))) { client.start() }
    }
}
