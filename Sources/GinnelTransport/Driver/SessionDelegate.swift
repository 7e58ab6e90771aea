// What stands above a driver: a service's or a client's end of one connection.

package import GinnelCore

package protocol SessionDelegate: AnyObject, Sendable {
    /// One action of the session, in order, on the loop's thread. `input` holds the bytes of borrowed payloads and is gone when this returns.
    /// Actions of outgoing calls go to their tokens and do not come here.
    func perform(_ action: Action, input: borrowing RawSpan)

    /// The channel has ended and the driver is done; called once, last, on the loop's thread.
    func ended(_ reason: CloseReason)
}
