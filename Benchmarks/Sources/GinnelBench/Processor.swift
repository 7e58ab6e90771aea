// Pinning and clocks. Linux only, as the whole benchmark.

import CProcessor

enum Processor {
    /// Pins this process; threads started afterwards inherit it.
    static func pin(to processor: Int) throws {
        guard processor_pin(Int32(processor)) else { throw Wrong(description: "this process may not run on processor \(processor)") }
    }

    /// Pins every thread that this process has; threads that they start inherit it.
    static func pinThreads(to processor: Int) throws {
        guard processor_pin_threads(Int32(processor)) else { throw Wrong(description: "not every thread may run on processor \(processor)") }
    }

    /// Nanoseconds of a clock that only goes forward.
    static var now: UInt64 { processor_now() }

    /// Processor time of this process, in nanoseconds.
    static var time: UInt64 { processor_time(0) }

    /// The same, and that of `other`.
    static func time(with other: Int32) -> UInt64 { processor_time(0) + processor_time(other) }
}
