// What lives on a loop: drivers and listeners. Every function is called on the loop's thread.

package import GinnelCore

package struct Readiness: OptionSet, Sendable {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    package static let readable = Readiness(rawValue: 1)
    package static let writable = Readiness(rawValue: 2)
    package static let hangup = Readiness(rawValue: 4)
    /// The peer neither sends nor takes any more; `hangup` alone may be only the end of what it sends.
    package static let gone = Readiness(rawValue: 8)
}

package protocol LoopMember: AnyObject, Sendable {
    /// The channel or listener is worth trying.
    func isReady(_ readiness: Readiness)
    /// The time that was asked for with `EventLoop.arm` has come, or is near.
    func timeHasCome(_ now: Moment)
    /// The turn is over: send what was gathered in it. Called when the member asked for it with `EventLoop.flushAtEndOfTurn`.
    func flush()
    /// The loop is about to stop and this member is still there: nobody will tell it anything any more. What it owes to others it does now; posts and jobs still run.
    func loopEnds()
}

extension LoopMember {
    package func loopEnds() {}
}

/// Members that wait for something in the next turn. Two arrays take turns, so that a busy loop allocates nothing.
struct MemberBatches {
    private var waiting: [any LoopMember] = []
    private var spare: [any LoopMember] = []

    var isEmpty: Bool { waiting.isEmpty }

    mutating func append(_ member: any LoopMember) { waiting.append(member) }

    /// All that wait; who comes from now on waits for the next time.
    mutating func take() -> [any LoopMember] {
        swap(&waiting, &spare)
        defer { spare = [] }
        return spare
    }

    mutating func giveBack(_ batch: consuming [any LoopMember]) {
        batch.removeAll(keepingCapacity: true)
        spare = batch
    }
}
