// Faults that are planted to see that the simulation finds them. They are made around the product and not in it: by the wire, the disk, the timers, and by programs that use it wrongly.

enum Fault: String, CaseIterable {
    /// The service's program says that it is done with a message before it is.
    case acknowledgesBeforeHandling
    /// A sender says that it is another one on each connection, so that nobody knows what it has sent before.
    case changesIdentity
    /// A sender does not say that it sends a message again.
    case hidesRedelivery
    /// A sender says that it has all results.
    case floorTooHigh
    /// A durable message is reported as kept before it is on disk.
    case reportsBeforeStoring
    /// Who sleeps is not woken, now and then.
    case losesTimers
    /// A caller calls again although it does not know what became of the first call.
    case callsAgain
    /// A stream that is taken up again leaves out an item.
    case resumesTooFar
}
