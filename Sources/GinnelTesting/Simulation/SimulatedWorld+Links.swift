// Connections: bytes on their way, in portions, late, or never.

import GinnelCore

extension SimulatedWorld {
    /// A new connection of a sender; `nil` when nobody listens.
    mutating func open(_ sender: Int) -> UInt64? {
        guard service.isUp else { return nil }
        linkCount += 1
        let client = plan.configuration(senders[sender].identity)
        links[linkCount] = SimulatedLink(
            sender: sender, generation: senders[sender].generation, instance: service.instance, client: client, service: plan.configuration(service.identity))
        for side in [Role.client, .service] { touch(linkCount, side) { $0.start() } }
        return linkCount
    }

    /// Writes what the system takes. A session that is over writes all it has, and then its end.
    mutating func write(_ link: UInt64, _ side: Role) {
        guard let isOver = links[link].map({ $0[side].closed != nil }) else { return }
        while let room = links[link].map({ plan.room - $0[from: side].bytes.count }), room > 0 || isOver, links[link]?[side].session.machine.hasOutput == true {
            let goal = random.oneIn(3) ? 1 : max(room, 1)
            links[link]?[side].produce(goal: goal)
            let bytes = links[link]?[side].takeSent() ?? []
            if links[link]?[from: side].isCut == false { links[link]?[from: side].bytes += bytes }
        }
        if links[link]?[side].session.machine.hasOutput == true { links[link]?[side].noteOutputBlocked() } else { links[link]?[side].noteOutputMoved() }
        if isOver { links[link]?[from: side].hasEnded = true }
        carry(link, from: side)
    }

    /// Sees to it that what is on its way goes on.
    mutating func carry(_ link: UInt64, from side: Role) {
        guard let pipe = links[link]?[from: side], !pipe.isMoving else { return }
        if !pipe.bytes.isEmpty {
            links[link]?[from: side].isMoving = true
            agenda.add(.arrive(link: link, from: side), after: random.nanoseconds(isCalm ? 1_000_000 : plan.latency))
        } else if pipe.hasEnded, !pipe.endIsMoving {
            links[link]?[from: side].endIsMoving = true
            // The two ends of a broken connection may learn of it at very different times.
            agenda.add(.end(link: link, at: side.other), after: random.nanoseconds(random.oneIn(3) ? 3_000_000_000 : 2_000_000))
        }
    }

    mutating func arrive(_ link: UInt64, from side: Role) {
        guard let pipe = links[link]?[from: side] else { return }
        links[link]?[from: side].isMoving = false
        if pipe.isHeld {
            links[link]?[from: side].isHeld = false
            return
        }
        let count = !isCalm && random.oneIn(plan.splits) ? random.number(in: 1...max(1, min(40, pipe.bytes.count))) : pipe.bytes.count
        let portion = Array(pipe.bytes.prefix(count))
        links[link]?[from: side].bytes.removeFirst(portion.count)
        if !portion.isEmpty { touch(link, side.other) { $0.receive(portion) } }
        // There is room for more.
        touch(link, side) { $0.noteOutputMoved() }
        carry(link, from: side)
        forget(link)
    }

    /// A connection of which both ends are gone and nothing is on its way.
    mutating func forget(_ link: UInt64) {
        guard let known = links[link], known.isOver, !known[from: .client].isMoving, !known[from: .service].isMoving else { return }
        links[link] = nil
    }
}
