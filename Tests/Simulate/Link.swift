// One connection: a pipe in each direction, and the two ends that programs hold.

import GinnelCore
import GinnelTesting
import GinnelTransport

/// `@unchecked Sendable`: one thread touches it.
final class Link: @unchecked Sendable {
    let client: Life
    let service: Life
    private let pipes: [Pipe]
    /// Nobody will read or write here any more, as far as the adversary is concerned.
    private(set) var isBroken = false

    init(_ network: Network, _ number: Int, client: Life, service: Life) {
        self.client = client
        self.service = service
        let fault = network.plan.fault
        pipes = [
            Pipe(network, number: number * 2, tap: FrameTap(fault, connection: number)), Pipe(network, number: number * 2 + 1, tap: nil),
        ]
    }

    /// What `side` has written.
    func pipe(from side: Role) -> Pipe { pipes[side == .client ? 0 : 1] }

    func end(_ side: Role) -> LinkEnd { LinkEnd(self, side) }

    func owns(_ pipe: Pipe) -> Bool { pipes.contains { $0 === pipe } }

    /// Breaks both directions. Each side in `told` hears of it soon, the others by their heartbeats.
    func cut(telling told: [Role], _ host: Host) {
        isBroken = true
        for pipe in pipes { pipe.cut() }
        for side in told {
            let pipe = pipe(from: side == .client ? .service : .client)
            host.after(host.someTime(300_000_000)) { pipe.endWriting(losing: false) }
        }
    }

    /// The program at this end is gone; what it has written may still arrive.
    func kill(_ side: Role, _ host: Host) {
        isBroken = true
        let other: Role = side == .client ? .service : .client
        pipe(from: side).endWriting(losing: host.random.oneIn(3))
        pipe(from: side).cut()
        pipe(from: other).killReader()
    }
}

/// What a program holds of a connection.
final class LinkEnd: Channel {
    private let link: Link
    private let side: Role

    init(_ link: Link, _ side: Role) {
        self.link = link
        self.side = side
    }

    /// As a socket does whose last descriptor is closed.
    deinit { abort() }

    private var outgoing: Pipe { link.pipe(from: side) }
    private var incoming: Pipe { link.pipe(from: side == .client ? .service : .client) }

    func read(into buffer: UnsafeMutableRawBufferPointer) -> ReadOutcome { incoming.read(into: buffer) }
    func write(_ bytes: UnsafeRawBufferPointer) -> WriteOutcome { outgoing.write(bytes) }
    func identify(_ fields: Set<PeerIdentity.Field>) -> PeerIdentity { .own }

    func attach(to loop: EventLoop, token: UInt64) {
        let bell: Pipe.Bell = { [weak loop] readiness in
            guard let loop else { return }
            loop.post { [weak loop] in loop?.member(token)?.isReady(readiness) }
        }
        incoming.attachReader(bell)
        outgoing.attachWriter(bell)
    }

    func close(drain: Duration) {
        outgoing.endWriting(losing: false)
        incoming.endReading()
    }

    func abort() {
        outgoing.endWriting(losing: true)
        incoming.endReading()
    }
}
