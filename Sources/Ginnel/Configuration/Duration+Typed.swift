// Times as people type them.

extension Duration {
    /// Reads a number with a unit (ns, us, ms, s, m), or of seconds; `nil` when it is no time.
    package init?(typed text: String) {
        let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        let units: [Substring: Double] = ["": 1, "s": 1, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9, "m": 60]
        guard let number = Double(digits), let unit = units[text.dropFirst(digits.count)], number.isFinite, number * unit < 1e9 else { return nil }
        self = .seconds(number * unit)
    }

    /// The same the other way round, in the largest unit that makes a whole number of it: 30s, 250ms.
    package var typed: String {
        let units: [(String, Duration)] = [("s", .seconds(1)), ("ms", .milliseconds(1)), ("us", .microseconds(1))]
        for (name, unit) in units where self == .zero || Int64(self / unit) > 0 && unit * Int64(self / unit) == self { return "\(Int64(self / unit))\(name)" }
        return "\(wholeNanoseconds)ns"
    }
}
