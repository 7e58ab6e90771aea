// What handlers have in hand for all peers of each user together, those included that have gone. Pure; a service shares one among its connections.
//
// Where the loss of a connection cancels no handler, what one connection may have in hand bounds little: a peer that asks, vanishes and comes again leaves handlers behind each time. So each request
// counts for its user until it is answered, whatever has become of its connection, and the connection is closed that brings one too many. That one was not begun: whoever keeps it sends it again.

package struct RequestAccounts: Sendable {
    /// What a request in hand counts beyond its bytes, for its handler and what that keeps alive of a connection that has gone.
    package static let overhead = 4096

    package let limit: Int
    private var held: [OutputOwner: Int] = [:]

    package init(limit: Int) { self.limit = limit }

    /// What is in hand for this user.
    package func total(_ owner: OutputOwner) -> Int { held[owner] ?? 0 }

    /// Counts a request of so many bytes, or says why it may not be begun. One that is alone may always be.
    package mutating func begin(_ bytes: Int, of owner: OutputOwner) -> Failure? {
        let total = total(owner)
        let cost = bytes + Self.overhead
        guard total == 0 || total <= limit - cost else {
            let sentence = "\(total) bytes of requests of \(owner.name) are in hand, and \(cost) more are over the limit of \(limit) (connections.requestBytesPerUser)"
            return Failure(.resourceExhausted, sentence)
        }
        held[owner] = total + cost
        return nil
    }

    /// One that was counted has been answered.
    package mutating func end(_ bytes: Int, of owner: OutputOwner) {
        let left = total(owner) - bytes - Self.overhead
        held[owner] = left > 0 ? left : nil
    }
}

/// The account of one connection's user. Asked by machines, under their locks: it must be quick and must not call back.
package protocol RequestBudget: AnyObject, Sendable {
    /// Counts a request of so many bytes, or says why it may not be begun.
    func begin(_ bytes: Int) -> Failure?
    /// One that was counted has been answered.
    func end(_ bytes: Int)
}
