// What a simulator puts in the place of threads, waiting and connections, so that whole programs run in virtual time and in one thread (Tests/Simulate).
//
// Time and chance come from the platform layer and are scripted there. What is left are the things that the code above it asks for: a loop that begins and has no thread yet, a task whose loop
// has ended, one that waits, and a connection to a service in this process. Everybody else asks for them here too, so that nothing real gets into a simulation unseen.

internal import CGinnelPlatform

/// Runs loops, tasks that wait, and connections of its own making. One for a process, which simulates and does nothing else.
package protocol Simulator: AnyObject, Sendable {
    /// The loop begins. From now on its turns are the simulator's to make (`EventLoop.simulateTurn`), until one says that it is over.
    func adopt(_ loop: EventLoop)
    /// Runs the job of a task whose loop has ended.
    func enqueue(_ job: UnownedJob)
    /// As `Task.sleep`.
    func sleep(for duration: Duration) async throws
    /// A connection to the service of this name; throws `notFound` where there is none.
    func connect(to name: String) throws -> any Channel
}

package enum Simulation {
    private static let chosen = Guarded<(any Simulator)?>(nil)

    /// `nil`, as everywhere but in a simulation: threads, the system's timers, and services of this process.
    package static var simulator: (any Simulator)? {
        get { chosen.withLock { $0 } }
        set { chosen.withLock { $0 = newValue } }
    }

    /// What both clocks show from now on, in nanoseconds.
    package static func setClocks(to time: UInt64) { gn_clock_script(time) }

    /// Identities and delays follow from this seed from now on.
    package static func seedChance(_ seed: UInt64) { gn_random_script(seed << 1 | 1) }
}
