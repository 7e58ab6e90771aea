// Numbers as people read them.

import Foundation

enum Figure {
    /// With the unit that suits: "85.3 µs", "1.24 ms", "2.00 s".
    static func time(_ nanoseconds: UInt64) -> String {
        let value = Double(nanoseconds)
        return switch nanoseconds {
        case ..<1_000: "\(nanoseconds) ns"
        case ..<1_000_000: String(format: value < 100_000 ? "%.1f µs" : "%.0f µs", value / 1e3)
        case ..<1_000_000_000: String(format: value < 100_000_000 ? "%.2f ms" : "%.0f ms", value / 1e6)
        default: String(format: "%.2f s", value / 1e9)
        }
    }

    /// Microseconds with two decimals, for tables.
    static func microseconds(_ nanoseconds: Double) -> String { String(format: "%.2f", nanoseconds / 1e3) }

    /// Groups of three: "1,234,567".
    static func count(_ value: Int) -> String {
        let digits = String(value.magnitude)
        var groups = value < 0 ? "-" : ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index).isMultiple(of: 3) { groups += "," }
            groups.append(digit)
        }
        return groups
    }

    /// "1 KiB", "4 MiB", "100 bytes".
    static func bytes(_ count: Int) -> String {
        if count >= 1 << 20, count.isMultiple(of: 1 << 20) { return "\(count >> 20) MiB" }
        if count >= 1 << 10, count.isMultiple(of: 1 << 10) { return "\(count >> 10) KiB" }
        return "\(Self.count(count)) bytes"
    }
}

/// Nanoseconds of a clock that only moves forward.
var clock: UInt64 { DispatchTime.now().uptimeNanoseconds }

extension Duration {
    var nanoseconds: UInt64 {
        let (seconds, attoseconds) = components
        return UInt64(max(0, seconds)) * 1_000_000_000 + UInt64(max(0, attoseconds / 1_000_000_000))
    }
}
