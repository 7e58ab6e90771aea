// A connected byte stream with a known peer: the one contract that sockets, pipes, shared memory and in-process channels meet, and that
// the driver relies on. To add a transport, write a type that conforms to this and pass the conformance suite; no driver code changes.
//
// One thread reads, one thread writes (they may differ), and only the channel's loop attaches and ends it. Readiness is as in the platform's
// contract: after `wouldBlock` or `drained` one event comes when trying again is worth it.

package import GinnelCore

package enum ReadOutcome: Sendable, Equatable {
    /// At least one byte. `drained`: trying again before the next event is pointless.
    case bytes(Int, drained: Bool)
    case wouldBlock
    /// The peer has ended its side, and everything before was read.
    case end
    case failed(SystemError)
    /// The peer broke the rules of the transport itself; the sentence says how.
    case violated(String)
}

package enum WriteOutcome: Sendable, Equatable {
    /// The channel took this many bytes, at least one.
    case took(Int)
    case wouldBlock
    case failed(SystemError)
    /// As when reading.
    case violated(String)
}

package protocol Channel: AnyObject, Sendable {
    /// Reads into `buffer`, which is not empty.
    func read(into buffer: UnsafeMutableRawBufferPointer) -> ReadOutcome
    /// Offers `bytes`, which is not empty; it may take only some.
    func write(_ bytes: UnsafeRawBufferPointer) -> WriteOutcome

    /// Who is at the other end, as the kernel says; `fields` beyond user, group and process cost more.
    func identify(_ fields: Set<PeerIdentity.Field>) throws -> PeerIdentity

    /// From now on `token`'s member hears of readiness. On the loop.
    func attach(to loop: EventLoop, token: UInt64) throws
    /// Ends the channel; the peer may read what was written for at most `drain`. On the loop.
    func close(drain: Duration)
    /// Ends the channel at once. On the loop.
    func abort()

    /// What the poller has reported for this channel's token, before it is tried; what that means. On the loop. For most channels it means what it says.
    func noteReadiness(_ readiness: Readiness) -> Readiness
    /// For channels that can go on over shared memory; `nil` for all others.
    var upgrade: (any ChannelUpgrade)? { get }
}

extension Channel {
    package func noteReadiness(_ readiness: Readiness) -> Readiness { readiness }
    package var upgrade: (any ChannelUpgrade)? { nil }
}

/// The steps from a socket to shared memory, in the order in which a session takes them. On the loop, but for those that write.
package protocol ChannelUpgrade {
    /// Makes what is to be offered; its descriptors.
    func makeLink(_ geometry: RingGeometry) throws -> OfferedHandles
    /// Maps what was offered with these descriptors.
    func takeLink(_ geometry: RingGeometry, handles: OfferedHandles) throws
    /// Lets go of what was offered with these descriptors, which nobody takes.
    func refuseLink(_ handles: OfferedHandles)
    /// Writes the first bytes of an offer together with its descriptors: all of those, or nothing. On the writing thread.
    func writeOffer(_ bytes: UnsafeRawBufferPointer) -> WriteOutcome
    /// It stays on the socket: nothing of what was made or offered is kept, and no more descriptors are let in.
    func dropLink()
    /// What is read from now on comes from the ring.
    func readFromRing()
    /// What is written from now on goes into the ring. On the writing thread.
    func writeToRing()
}
