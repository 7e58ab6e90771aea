// Points in time as the envelope format writes them: ISO 8601 in UTC, to 100 nanoseconds, without zeros at the end of the fraction.

/// A point in time.
package struct EnvelopeTimestamp: Sendable, Hashable {
    /// Since 1970, in units of 100 nanoseconds.
    package var ticks: Int64

    package static let ticksPerSecond: Int64 = 10_000_000
    private static let secondsPerDay: Int64 = 86_400
    /// Years 1 to 9999, which is what four digits can say.
    private static let seconds: ClosedRange<Int64> = -62_135_596_800...253_402_300_799

    package init(ticks: Int64) { self.ticks = ticks }

    /// Times before the year 1 and after 9999 are written as the nearest that can be.
    package var text: String {
        let whole = Self.floor(ticks, Self.ticksPerSecond)
        let seconds = min(max(whole, Self.seconds.lowerBound), Self.seconds.upperBound)
        let days = Self.floor(seconds, Self.secondsPerDay)
        let (year, month, day) = Self.date(days)
        let clock = seconds - days * Self.secondsPerDay
        var text = "\(Self.padded(year, 4))-\(Self.padded(month, 2))-\(Self.padded(day, 2))T"
        text += "\(Self.padded(clock / 3600, 2)):\(Self.padded(clock / 60 % 60, 2)):\(Self.padded(clock % 60, 2))"
        let past = ticks % Self.ticksPerSecond
        var fraction = Self.padded(past < 0 ? past + Self.ticksPerSecond : past, 7)
        while fraction.last == "0" { fraction.removeLast() }
        return text + (fraction.isEmpty || seconds != whole ? "Z" : ".\(fraction)Z")
    }

    /// Reads a date and time with `Z`, with an offset from UTC, or with neither, which counts as UTC; `nil` when it is none. Digits of the fraction beyond the seventh are dropped.
    package init?(_ text: String) {
        var rest = Array(text.utf8)[...]
        guard let year = Self.number(&rest, 4), Self.skip(&rest, "-"), let month = Self.number(&rest, 2), Self.skip(&rest, "-"), let day = Self.number(&rest, 2),
            Self.skip(&rest, "T"), let hour = Self.number(&rest, 2), Self.skip(&rest, ":"), let minute = Self.number(&rest, 2), Self.skip(&rest, ":"),
            let second = Self.number(&rest, 2), year >= 1, (1...12).contains(month), (1...Self.days(of: month, in: year)).contains(day), hour < 24, minute < 60, second < 60
        else { return nil }
        guard let fraction = Self.fraction(&rest), let offset = Self.offset(&rest), rest.isEmpty else { return nil }
        let seconds = Self.days(year, month, day) * Self.secondsPerDay + hour * 3600 + minute * 60 + second - offset
        guard Self.seconds.contains(seconds) else { return nil }
        ticks = seconds * Self.ticksPerSecond + fraction
    }

    // MARK: Reading

    private static func number(_ rest: inout ArraySlice<UInt8>, _ count: Int) -> Int64? {
        guard rest.count >= count else { return nil }
        var value: Int64 = 0
        for byte in rest.prefix(count) {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
            value = value * 10 + Int64(byte & 15)
        }
        rest = rest.dropFirst(count)
        return value
    }

    private static func skip(_ rest: inout ArraySlice<UInt8>, _ character: Unicode.Scalar) -> Bool {
        guard rest.first == UInt8(ascii: character) else { return false }
        rest = rest.dropFirst()
        return true
    }

    /// Ticks; none when there is no fraction.
    private static func fraction(_ rest: inout ArraySlice<UInt8>) -> Int64? {
        guard skip(&rest, ".") else { return 0 }
        var (value, digits): (Int64, Int) = (0, 0)
        while let digit = number(&rest, 1) {
            if digits < 7 { value = value * 10 + digit }
            digits += 1
        }
        guard digits > 0 else { return nil }
        for _ in 0..<max(0, 7 - digits) { value *= 10 }
        return value
    }

    /// Seconds east of UTC.
    private static func offset(_ rest: inout ArraySlice<UInt8>) -> Int64? {
        if rest.isEmpty || skip(&rest, "Z") { return 0 }
        let isWest = rest.first == UInt8(ascii: "-")
        guard skip(&rest, isWest ? "-" : "+"), let hours = number(&rest, 2), skip(&rest, ":"), let minutes = number(&rest, 2), hours < 24, minutes < 60 else { return nil }
        return (hours * 3600 + minutes * 60) * (isWest ? -1 : 1)
    }

    // MARK: The calendar

    private static func padded(_ number: Int64, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }

    private static func floor(_ value: Int64, _ divisor: Int64) -> Int64 {
        let quotient = value / divisor
        return value % divisor < 0 ? quotient - 1 : quotient
    }

    private static func isLeap(_ year: Int64) -> Bool { year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) }

    private static func days(of month: Int64, in year: Int64) -> Int64 {
        switch month {
        case 2: isLeap(year) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// Days from the first of January 1970 to the first of January of a year from 1 on.
    private static func days(before year: Int64) -> Int64 {
        let past = year - 1
        return past * 365 + past / 4 - past / 100 + past / 400 - 719_162
    }

    private static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        (1..<month).reduce(days(before: year) + day - 1) { $0 + days(of: $1, in: year) }
    }

    private static func date(_ days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        // A year too late at most, since no year is shorter than 365 days; then back.
        var year = (days + 719_162) / 365 + 1
        while Self.days(before: year) > days { year -= 1 }
        var (month, left): (Int64, Int64) = (1, days - Self.days(before: year))
        while left >= Self.days(of: month, in: year) {
            left -= Self.days(of: month, in: year)
            month += 1
        }
        return (year, month, left + 1)
    }
}
