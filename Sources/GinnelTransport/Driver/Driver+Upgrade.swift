// The way from the socket to shared memory, step by step as the machine says. On the loop.

internal import GinnelCore

extension Driver {
    func perform(_ step: UpgradeStep) {
        switch step {
        case .make(let geometry):
            answer { upgrade in .made(handles: try upgrade.makeLink(geometry)) }
        case .take(let geometry, let handles):
            answer { upgrade in
                try upgrade.takeLink(geometry, handles: handles)
                return .taken
            }
        case .refuse(let handles):
            channel.upgrade?.refuseLink(handles)
        case .drop:
            channel.upgrade?.dropLink()
        case .readFromRing:
            channel.upgrade?.readFromRing()
            // What lies in the ring already was announced to nobody.
            resumeReading(onLoop: true)
            loop.readAgain(self)
        }
    }

    private func answer(_ body: (any ChannelUpgrade) throws -> UpgradeAnswer) {
        let answer: UpgradeAnswer
        do {
            guard let upgrade = channel.upgrade else { throw GinnelError(.unsupported, "this transport has no shared memory") }
            answer = try body(upgrade)
        } catch {
            answer = .failed(Failure(.resourceExhausted, "\(error)"))
        }
        submit(.upgrade(answer))
    }
}
