// A channel that begins on a socket and goes on through shared memory (docs/shared-memory.md §4).
//
// The socket gives identity and, later, the sign of life; the rings carry the bytes, in records whose bounds mean nothing here. Which of the two is read and which is written is
// switched by the driver when the session's machine says so. What arrives is copied out of the ring before anybody judges it.

package import GinnelCore
internal import Synchronization

/// `@unchecked Sendable`: as the channel contract says, one thread reads and one writes; what the two share is atomic or constant once bytes flow.
package final class SharedMemoryChannel: Channel, @unchecked Sendable {
    private let socket: PlatformChannel
    @exclusivity(unchecked) private var link: SharedMemoryLink?
    private let makesOffers: Bool
    private let peerIsGone = Atomic(false)
    /// Nothing more is written to the socket but bells.
    private let hasSwitched = Atomic(false)
    private let owesRing = Atomic(false)
    /// The writing thread has done with the offer, and so with the link, until the session switches.
    private let offerIsDone = Atomic(false)

    /// Records without a byte that may come in a row (docs/shared-memory.md §4): a peer publishes a ring full of them with one store.
    private static let emptyLimit = 1000

    // Reading thread, which is the loop's.
    @exclusivity(unchecked) private var readsFromRing = false
    @exclusivity(unchecked) private var unfinished: (record: RingRecord, read: Int)?
    @exclusivity(unchecked) private var emptyRecords = 0
    /// Something may have come on the socket: its end, or bytes.
    @exclusivity(unchecked) private var socketHasNews = true
    @exclusivity(unchecked) private var socketEnd: ReadOutcome?
    @exclusivity(unchecked) var farewell = Farewell()
    @exclusivity(unchecked) private var violation: RingViolation?
    @exclusivity(unchecked) private var isQuiet = false
    @exclusivity(unchecked) private var isLent = false
    @exclusivity(unchecked) private var place: (loop: EventLoop, token: UInt64)?

    // Writing thread.
    @exclusivity(unchecked) private var writesToRing = false

    /// Begins on `socket`. `takesOffers`: a client, which lets descriptors in.
    package init(_ socket: PlatformChannel, takesOffers: Bool) {
        self.socket = socket
        makesOffers = !takesOffers
        if takesOffers { socket.acceptHandles() }
    }

    package var upgrade: (any ChannelUpgrade)? { self }

    package func identify(_ fields: Set<PeerIdentity.Field>) throws -> PeerIdentity { try socket.identify(fields) }

    package func attach(to loop: EventLoop, token: UInt64) throws {
        place = (loop, token)
        try socket.attach(to: loop, token: token)
        try link?.attach(to: loop, token: token)
        // What was published before anybody slept was announced to nobody.
        if readsFromRing, !isLent { waitQuietly() }
    }

    package func close(drain: Duration) {
        leave()
        socket.close(drain: drain)
    }

    package func abort() {
        leave()
        socket.abort()
    }

    private func leave() {
        forgetLink()
        place = nil
    }

    private func forgetLink() {
        if let place {
            link?.detach(from: place.loop)
            place.loop.watchNoLonger(self)
        }
        link?.silence()
        link = nil
    }

    /// Doorbells say both readable and writable; whatever else is said concerns the socket.
    package func noteReadiness(_ readiness: Readiness) -> Readiness {
        if readiness == [.readable, .writable], let link, let place {
            do throws(RingViolation) { try link.noteRing(place.loop.now.awake) } catch { violation = violation ?? error }
        }
        if readiness.contains(.hangup) || !readiness.contains(.writable) { socketHasNews = true }
        // Nobody reads the ring any more; what the peer published is still read.
        if readiness.contains(.hangup) { peerIsGone.store(true, ordering: .relaxed) }
        // A bell that rings through the socket only makes that readable, and may tell of room all the same.
        return readsFromRing && Doorbell.descriptors == 0 ? readiness.union(.writable) : readiness
    }

    /// The link, for a stream that reads and writes the rings itself; this channel then only watches the socket and hears the bell.
    package func lendLink() -> SharedMemoryLink? {
        isLent = true
        return link
    }

    /// For such a stream: looks at the socket when the readiness says that there may be something. How the stream has ended, if it has. On the loop.
    func lookAtSocket(_ readiness: Readiness) -> StreamWaiting.End? {
        _ = noteReadiness(readiness)
        do throws(RingViolation) {
            if let violation { throw violation }
            guard try socketEnds() else { return nil }
            return farewell.isWhole ? .peerEnded : .peerDied
        } catch {
            return .violated(error.sentence)
        }
    }

    // MARK: Reading

    package func read(into buffer: UnsafeMutableRawBufferPointer) -> ReadOutcome {
        guard readsFromRing else { return socket.read(into: buffer) }
        guard let link else { return .end }
        do throws(RingViolation) {
            if let violation { throw violation }
            if try socketEnds() { try link.reader.noteEnd() }
            while true {
                let count = try copyRecords(link, into: buffer)
                if count > 0 {
                    // With news on the socket another look is due, since its event does not come twice.
                    let drained = link.reader.isEmpty && unfinished == nil && !socketHasNews
                    if drained { waitQuietly() }
                    return .bytes(count, drained: drained)
                }
                // What was published before the socket ended is read before its end is told.
                if let socketEnd { return socketEnd }
                guard try socketEnds() else { break }
                try link.reader.noteEnd()
            }
        } catch {
            return .violated(error.sentence)
        }
        waitQuietly()
        return .wouldBlock
    }

    /// Copies records, or what is left of one, as far as `buffer` goes.
    private func copyRecords(_ link: SharedMemoryLink, into buffer: UnsafeMutableRawBufferPointer) throws(RingViolation) -> Int {
        var count = 0
        // What records take up in the ring counts too: many that are almost empty are work as well.
        var used = 0
        while count < buffer.count, used < buffer.count {
            guard let (record, read) = try next(link) else { break }
            used += RingGeometry.recordBytes(record.count)
            let part = min(record.count - read, buffer.count - count)
            let from = UnsafeRawBufferPointer(rebasing: link.reader.bytes(of: record)[read..<read + part])
            UnsafeMutableRawBufferPointer(rebasing: buffer[count..<count + part]).copyMemory(from: from)
            count += part
            unfinished = read + part < record.count ? (record, read + part) : nil
            if unfinished == nil, link.reader.giveBackGathered(record) { ring(link) }
        }
        return count
    }

    /// The record that is being read, and how much of it has been. Its bounds were judged once and are kept here.
    private func next(_ link: SharedMemoryLink) throws(RingViolation) -> (record: RingRecord, read: Int)? {
        if let unfinished { return unfinished }
        guard let record = try link.reader.next() else {
            if link.reader.settle() { ring(link) }
            return nil
        }
        emptyRecords = record.count == 0 ? emptyRecords + 1 : 0
        guard emptyRecords <= Self.emptyLimit else { throw RingViolation(sentence: "\(emptyRecords) empty records in a row") }
        return (record, 0)
    }

    /// Looks at the socket when there may be news. True when it has ended.
    private func socketEnds() throws(RingViolation) -> Bool {
        guard socketHasNews else { return false }
        return try withUnsafeTemporaryAllocation(byteCount: 64, alignment: 1) { bytes throws(RingViolation) in
            while true {
                switch socket.read(into: bytes) {
                case .bytes(let count, _):
                    // Where bells ring through the socket a zero is one.
                    guard farewell.take(bytes[..<count], bellsRing: Doorbell.descriptors == 0) else {
                        throw RingViolation(sentence: "\(count) bytes on the socket of a connection that goes through shared memory")
                    }
                    // It may be for the writer, who tried before this was read and will hear of no other bell.
                    if Doorbell.descriptors == 0, let place { place.loop.rouse(place.token) }
                case .wouldBlock:
                    socketHasNews = false
                    return false
                case let end:
                    socketEnd = end
                    peerIsGone.store(true, ordering: .relaxed)
                    return true
                }
            }
        }
    }

    /// Before our last frame on the socket has left, no bell may ring through it.
    private func ring(_ link: SharedMemoryLink) {
        if Doorbell.descriptors > 0 || hasSwitched.load(ordering: .sequentiallyConsistent) { return link.ringPeer() }
        owesRing.store(true, ordering: .sequentiallyConsistent)
        if hasSwitched.load(ordering: .sequentiallyConsistent) { payRing(link) }
    }

    private func payRing(_ link: SharedMemoryLink) {
        if owesRing.exchange(false, ordering: .sequentiallyConsistent) { link.ringPeer() }
    }

    private func waitQuietly() {
        guard !isQuiet, let place else { return }
        isQuiet = true
        place.loop.watchQuietly(self, place.token)
    }

    // MARK: Writing

    package func write(_ bytes: UnsafeRawBufferPointer) -> WriteOutcome {
        guard writesToRing else { return socket.write(bytes) }
        guard let link, !peerIsGone.load(ordering: .relaxed) else {
            return .failed(SystemError(operation: "write", sentence: "the peer is gone"))
        }
        do throws(RingViolation) {
            while true {
                let (count, wakesConsumer) = try link.writer.write(bytes)
                if wakesConsumer { ring(link) }
                if count > 0 { return .took(count) }
                if try link.writer.declareWait() { return .wouldBlock }
            }
        } catch {
            return .violated(error.sentence)
        }
    }
}

extension SharedMemoryChannel: ChannelUpgrade {
    package func makeLink(_ geometry: RingGeometry) throws -> OfferedHandles {
        let made = try SharedMemoryLink.make(geometry, for: socket)
        try use(made)
        return made.announced
    }

    package func takeLink(_ geometry: RingGeometry, handles: OfferedHandles) throws {
        try use(SharedMemoryLink.take(geometry, handles: handles, from: socket))
    }

    /// Descriptors that came beside bytes go with `refuseHandles`. One that was put into this process lies in its table until somebody takes it out, and only a claim shows that it is what it is said to be.
    package func refuseLink(_ handles: OfferedHandles) {
        if handles.number != 0, let handle = try? PlatformChannel.claim(handles.number) { PlatformChannel.close([handle]) }
    }

    private func use(_ link: SharedMemoryLink) throws {
        if let place { try link.attach(to: place.loop, token: place.token) }
        self.link = link
        socket.refuseHandles()
    }

    package func writeOffer(_ bytes: UnsafeRawBufferPointer) -> WriteOutcome {
        guard let link else { return .failed(SystemError(operation: "offer", sentence: "there is no shared memory to be offered")) }
        let outcome = link.offered.isEmpty ? socket.write(bytes) : socket.write(bytes, handles: link.offered)
        if case .took = outcome { link.offerHasLeft() }
        if outcome != .wouldBlock { offerIsDone.store(true, ordering: .releasing) }
        return outcome
    }

    package func readFromRing() { readsFromRing = true }

    package func writeToRing() {
        writesToRing = true
        hasSwitched.store(true, ordering: .sequentiallyConsistent)
        if let link { payRing(link) }
    }

    package func dropLink() {
        socket.refuseHandles()
        // A peer that refuses before it can have read the offer leaves it to whoever is writing it.
        if !makesOffers || offerIsDone.load(ordering: .acquiring) { forgetLink() }
    }
}

extension SharedMemoryChannel: QuietSource {
    package var hasNews: Bool { link?.reader.hasNews ?? false }

    package func declareSleep() -> Bool {
        isQuiet = false
        // A violation is news too: whoever reads will meet it.
        guard let sleeps = try? link?.reader.declareWait() else { return link == nil }
        return sleeps
    }

    package func wakeUp() { isQuiet = false }
}

extension SharedMemoryChannel {
    /// Two connected channels in this process, on their rings already.
    package static func pair(_ geometry: RingGeometry) throws -> (SharedMemoryChannel, SharedMemoryChannel) {
        let (first, second) = try PlatformChannel.pair()
        let maker = SharedMemoryChannel(first, takesOffers: false)
        let taker = SharedMemoryChannel(second, takesOffers: true)
        let handles = try maker.makeLink(geometry)
        _ = [UInt8(0)].withUnsafeBytes { maker.writeOffer($0) }
        withUnsafeTemporaryAllocation(byteCount: 1, alignment: 1) { _ = second.read(into: $0) }
        try taker.takeLink(geometry, handles: handles)
        for channel in [maker, taker] {
            channel.readFromRing()
            channel.writeToRing()
        }
        return (maker, taker)
    }
}
