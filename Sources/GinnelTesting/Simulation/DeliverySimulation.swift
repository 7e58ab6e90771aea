// The way in to the simulation of delivery.

/// Runs message logic against everything that can happen to acknowledged and durable messages, in virtual time, in one thread, and the same for the same seed.
///
/// A run has one or two senders and a service. Between them are the real parts: the sessions of the native protocol, the outbox, the inbox and the back-off, with nothing but the
/// sockets, the disk and the clock replaced. An adversary who follows from the seed
///
/// - cuts connections at any byte, at once or with the two ends noticing at different times, or lets them fall silent;
/// - delays, splits and holds up what is on its way, loses wake-ups, ends one direction alone;
/// - has a sender connect a second time while its first connection lives;
/// - kills the service, which comes back as a new instance that remembers nothing, and senders, which come back with what was on disk;
/// - lets the disk fail.
///
/// After some seconds it lets go, and everything has to come to rest. Whatever the logic, the simulation itself checks at every step that messages which are reported as taken have been handled, and those reported as
/// refused have been refused so; that messages of one sender and lane are handled in order, once in one instance of the service, and again in a later one only when marked as `redelivered`; that durable
/// ones survive; that every call ends once; that outbox, inbox and output stay within their limits and delays within their bound.
///
/// To test your own logic, conform a value to ``SimulatedLogic`` and ask for the problems of many seeds:
///
///     for seed in 0..<2000 as Range<UInt64> {
///         #expect(DeliverySimulation.problems(seed: seed) { Ledger() } == [])
///     }
///
/// A seed that fails does so again when it is run alone.
public enum DeliverySimulation {
    /// One run; empty when all is well. Takes a few milliseconds.
    public static func problems<Logic: SimulatedLogic>(seed: UInt64, _ logic: () -> Logic) -> [String] {
        problems(seed: seed, logic: logic(), fault: nil)
    }

    /// The same with a program of its own, and a fault that is to be found.
    package static func problems(seed: UInt64, fault: SimulatedFault? = nil) -> [String] {
        problems(seed: seed, logic: SimulatedTraffic(seed: seed), fault: fault)
    }

    /// What one run has come upon.
    package static func occurrences(seed: UInt64) -> Set<SimulatedOccurrence> { run(seed, SimulatedTraffic(seed: seed), nil).occurrences }

    private static func problems(seed: UInt64, logic: any SimulatedLogic, fault: SimulatedFault?) -> [String] { run(seed, logic, fault).problems }

    private static func run(_ seed: UInt64, _ logic: any SimulatedLogic, _ fault: SimulatedFault?) -> SimulationLedger {
        var world = SimulatedWorld(plan: SimulationPlan(seed: seed, fault: fault), logic: logic)
        world.run()
        return world.ledger
    }
}

/// Faults that are planted to see that the simulation finds them. They are made around the product, not in it.
package enum SimulatedFault: String, CaseIterable, Sendable {
    /// The service acknowledges what it has not handled.
    case acknowledgesBeforeHandling
    /// The service forgets what came when a sender connects.
    case forgetsOnReconnect
    /// What a lost connection has not carried is put behind what waits.
    case requeuesAtTail
    /// The sender says that it has all results.
    case floorTooHigh
    /// A client that is to connect again is not woken, now and then.
    case losesTimer
    /// The sender does not say that it sends again.
    case hidesRedelivery
    /// A durable message is reported as kept before it is on disk.
    case reportsBeforeStoring
}
