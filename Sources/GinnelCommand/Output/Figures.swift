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

extension Figure {
    /// "1 method", "2 methods".
    static func counted(_ count: Int, _ what: String) -> String { "\(Self.count(count)) \(what)\(count == 1 ? "" : "s")" }

    /// A rate as few characters tell it: "0", "0.4", "12", "3,400", "1.2M".
    static func rate(_ value: Double) -> String {
        switch value {
        case ..<0.05: "0"
        case ..<9.95: String(format: "%.1f", value)
        case ..<1e6: Self.count(Int(value.rounded()))
        case ..<1e12: String(format: value < 1e9 ? "%.1fM" : "%.1fG", value / (value < 1e9 ? 1e6 : 1e9))
        default: "∞"
        }
    }

    /// Bytes, rounded: "0", "512", "3.4K", "12M".
    static func roundedBytes(_ value: Double) -> String {
        var value = max(0, value)
        var unit = ""
        for next in ["K", "M", "G", "T", "P"] where value >= 999.5 {
            value /= 1024
            unit = next
        }
        return unit.isEmpty || value >= 9.95 ? String(format: "%.0f", min(value, 1e6)) + unit : String(format: "%.1f", value) + unit
    }

    /// How long something has gone on: "12s", "3m 10s", "5h 03m", "2d 04h".
    static func age(_ seconds: Double) -> String {
        let whole = Int(max(0, min(seconds, 1e9)))
        return switch whole {
        case ..<60: "\(whole)s"
        case ..<3_600: "\(whole / 60)m \(String(format: "%02d", whole % 60))s"
        case ..<86_400: "\(whole / 3_600)h \(String(format: "%02d", whole / 60 % 60))m"
        default: "\(whole / 86_400)d \(String(format: "%02d", whole / 3_600 % 24))h"
        }
    }
}
