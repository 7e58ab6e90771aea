// What lives on a loop: drivers and listeners. Every function is called on the loop's thread.

package import GinnelCore

package struct Readiness: OptionSet, Sendable {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    package static let readable = Readiness(rawValue: 1)
    package static let writable = Readiness(rawValue: 2)
    package static let hangup = Readiness(rawValue: 4)
}

package protocol LoopMember: AnyObject, Sendable {
    /// The channel or listener is worth trying.
    func isReady(_ readiness: Readiness)
    /// The time that was asked for with `EventLoop.arm` has come, or is near.
    func timeHasCome(_ now: Moment)
    /// The turn is over: send what was gathered in it. Called when the member asked for it with `EventLoop.flushAtEndOfTurn`.
    func flush()
}
