// Small questions to the operating system: time, chance, limits, surroundings.

internal import CGinnelPlatform
package import GinnelCore

extension Moment {
    /// Both clocks, read now.
    package static var now: Moment { Moment(awake: gn_clock_awake(), continuous: gn_clock_continuous()) }
}

extension UInt64 {
    /// Nanoseconds on the clock that stops while the machine sleeps, now.
    package static var awakeNow: UInt64 { gn_clock_awake() }
}

extension Identity {
    /// 128 bits from the system's generator.
    package static func random() throws -> Identity {
        Identity(high: try System.randomNumber(), low: try System.randomNumber())
    }
}

package enum System {
    /// From the system's generator.
    package static func randomNumber() throws -> UInt64 {
        var number: UInt64 = 0
        var error = gn_error()
        let outcome = withUnsafeMutableBytes(of: &number) { gn_random($0.baseAddress, $0.count, &error) }
        guard outcome == GN_DONE else { throw GinnelError(.other, "no random bytes", cause: SystemError(error)) }
        return number
    }

    /// Waits for so long, in a simulation of virtual time. Throws `CancellationError` when the task is cancelled.
    package static func sleep(for duration: Duration) async throws {
        if let simulator = Simulation.simulator { return try await simulator.sleep(for: duration) }
        try await Task.sleep(for: duration)
    }

    /// The same, until the continuous clock shows this.
    package static func sleep(until end: Moment) async throws {
        let now = Moment.now.continuous
        try await sleep(for: .wholeNanoseconds(end.continuous > now ? end.continuous - now : 0))
    }

    /// Processors that this process may use.
    package static var processors: Int { Int(gn_processors_allowed()) }

    /// Processor time of this process in nanoseconds.
    package static var processorTime: UInt64 { gn_clock_processor() }

    /// Descriptors that this process may have open, and how many it has.
    package static var descriptors: (limit: Int, open: Int) {
        var limit: UInt64 = 0
        var open: UInt64 = 0
        gn_descriptor_limit(&limit, &open)
        return (Int(clamping: limit), Int(clamping: open))
    }

    package static func setDescriptorLimit(_ limit: Int) throws {
        var error = gn_error()
        guard gn_descriptor_limit_set(UInt64(limit), &error) == GN_DONE else {
            throw GinnelError(.denied, "the limit of descriptors cannot be \(limit)", cause: SystemError(error))
        }
    }

    package static func environment(_ name: String) -> String? {
        let value = withUnsafeTemporaryAllocation(of: CChar.self, capacity: 4096) { buffer in
            gn_environment(name, buffer.baseAddress, buffer.count) ? String(cString: buffer.baseAddress!) : nil
        }
        return value
    }

    /// At least 16 hexadecimal digits that change with each boot of the machine.
    static var boot: String {
        get throws {
            var error = gn_error()
            let boot = withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64) { buffer in
                gn_boot_id(buffer.baseAddress, buffer.count, &error) == GN_DONE ? String(cString: buffer.baseAddress!) : nil
            }
            guard let boot else { throw GinnelError(.init(error.code), "the boot of this machine has no identity that can be read", cause: SystemError(error)) }
            return boot
        }
    }

    package static var currentThread: UInt64 { gn_thread_current() }
}
