// A client and a service wired together in memory, with one virtual clock. Nothing moves unless the test moves it: bytes are produced, delivered in portions
// of any size, held back, lost or cut off by hand, so that every interleaving that a kernel could make can be made here, and made again.

package import GinnelCore

package struct MachinePair {
    package var client: MachineEnd
    package var service: MachineEnd

    package init(client: MachineEnd, service: MachineEnd) {
        self.client = client
        self.service = service
    }

    /// Two native sessions.
    package init(client: NativeConfiguration, service: NativeConfiguration) {
        self.init(client: MachineEnd(.client, client), service: MachineEnd(.service, service))
    }

    package subscript(side: Role) -> MachineEnd {
        get { side == .client ? client : service }
        _modify {  // in place: a copy would take all that the machine holds with it
            if side == .client { yield &client } else { yield &service }
        }
    }

    package mutating func start() {
        client.start()
        service.start()
    }

    /// Starts both and lets them shake hands; forgets the actions of that.
    package mutating func connect() {
        start()
        settle()
        client.takeActions()
        service.takeActions()
    }

    // MARK: Delivery

    /// Gives the other side up to `count` bytes of what `side` has produced; returns how many they were.
    @discardableResult
    package mutating func deliver(from side: Role, _ count: Int = .max) -> Int {
        let bytes = self[side].takeSent(count)
        if !bytes.isEmpty { self[side.other].receive(bytes) }
        return bytes.count
    }

    /// Produces and delivers everything that `side` has to say.
    package mutating func flush(_ side: Role) {
        self[side].produce()
        deliver(from: side)
    }

    /// Loses up to `count` bytes of what `side` has produced.
    package mutating func drop(from side: Role, _ count: Int = .max) {
        _ = self[side].takeSent(count)
    }

    /// Both sides talk until neither has anything to say.
    package mutating func settle() {
        repeat {
            flush(.client)
            flush(.service)
        } while client.session.machine.hasOutput || service.session.machine.hasOutput
    }

    /// The connection breaks: what is under way is lost, and both sides notice.
    package mutating func cut(_ failure: Failure? = nil) {
        drop(from: .client)
        drop(from: .service)
        client.inputEnded(failure)
        service.inputEnded(failure)
    }

    // MARK: Time

    package var now: Moment { client.now }

    /// Time passes on both clocks. Each side is woken whenever it asked to be, as a driver does; nothing is delivered meanwhile.
    package mutating func advance(by span: Duration) {
        let end = now.advanced(by: span)
        while let step = delay, now.awake.adding(step) <= end.awake {
            move(by: Moment(awake: step, continuous: step))
            if !wake() { break }
        }
        move(by: Moment(awake: end.awake - now.awake, continuous: end.continuous - now.continuous))
        _ = wake()
    }

    /// The computer sleeps: only the continuous clock goes on.
    package mutating func sleep(for span: Duration) {
        move(by: Moment(awake: 0, continuous: span.wholeNanoseconds))
        _ = wake()
    }

    private var delay: UInt64? {
        let delays = [client, service].compactMap { $0.closed == nil ? $0.session.wakeUp.delay(from: $0.now) : nil }
        return delays.min()
    }

    /// False when a side spins.
    private mutating func wake() -> Bool {
        for side in [Role.client, .service] where self[side].session.wakeUp.isDue(at: now) { self[side].timeOut() }
        return !client.isSpinning && !service.isSpinning
    }

    private mutating func move(by step: Moment) {
        let next = Moment(awake: now.awake.adding(step.awake), continuous: now.continuous.adding(step.continuous))
        client.now = next
        service.now = next
    }
}
