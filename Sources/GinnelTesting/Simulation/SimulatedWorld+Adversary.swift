// The adversary. Each strike is one thing that happens to programs and connections in the world.

import GinnelCore

extension SimulatedWorld {
    mutating func strike() {
        strikesLeft -= 1
        let sender = random.number(in: 0...senders.count - 1)
        switch random.number(in: 0...10) {
        case 0, 1: cut(silently: false)
        case 2: cut(silently: true)
        case 3: halfClose()
        case 4: holdUp()
        case 5, 6: connect(sender)
        case 7, 8: crashService()
        default: crash(sender)
        }
    }

    /// Some connection, of those that have an end.
    private mutating func someLink() -> UInt64? {
        let numbers = links.keys.sorted()
        return numbers.isEmpty ? nil : numbers[random.number(in: 0...numbers.count - 1)]
    }

    private mutating func cut(silently: Bool) {
        guard let link = someLink() else { return }
        if silently { ledger.note(.connectionFellSilent) }
        if [Role.client, .service].contains(where: { (links[link]?[from: $0].bytes.count ?? 0) > 65_536 }) { ledger.note(.chunksCut) }
        links[link]?.cut(silently: silently, &random)
        markBoth(link)
    }

    private mutating func halfClose() {
        guard let link = someLink() else { return }
        links[link]?.cut(from: random.oneIn(2) ? .client : .service, silently: false, &random)
        markBoth(link)
    }

    /// A wake-up is lost, or the way is blocked: what has been written arrives with what is written next.
    private mutating func holdUp() {
        guard let link = someLink() else { return }
        let side = random.oneIn(2) ? Role.client : .service
        links[link]?[from: side].isHeld = true
        ledger.note(.wakeUpLost)
    }

    private mutating func crashService() {
        service.crash()
        ledger.note(.serviceDied)
        logic.serviceRestarted()
        for link in links.keys.sorted() {
            links[link]?.kill(.service, &random)
            markBoth(link)
        }
        agenda.add(.serviceStarts, after: random.nanoseconds(1_000_000_000))
    }

    private mutating func crash(_ sender: Int) {
        for link in links.keys.sorted() where links[link]?.sender == sender {
            links[link]?.kill(.client, &random)
            markBoth(link)
        }
        senders[sender].restart(&random)
        ledger.died(sender, onDisk: senders[sender].onDisk)
        agenda.add(.connect(sender: sender, generation: senders[sender].generation), after: random.nanoseconds(500_000_000))
    }

    /// What is on its way goes on, also where nobody writes any more.
    private mutating func markBoth(_ link: UInt64) {
        for side in [Role.client, .service] { carry(link, from: side) }
    }
}
