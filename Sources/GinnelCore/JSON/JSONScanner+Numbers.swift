// Numbers: the grammar, and that what is written can be held: integers in 64 bits, the others in a double without becoming infinite.

extension JSONScanner {
    mutating func number() throws(JSONError) {
        let start = position
        if byte == UInt8(ascii: "-") { position += 1 }
        let whole = try digits()
        if whole.count > 1, bytes[whole.lowerBound] == UInt8(ascii: "0") { throw JSONError(.leadingZero, at: whole.lowerBound) }
        var fraction = position..<position
        var exponent: Int?
        if byte == UInt8(ascii: ".") {
            position += 1
            fraction = try digits()
        }
        if byte | 0x20 == UInt8(ascii: "e") {
            position += 1
            exponent = try self.exponent()
        }
        if fraction.isEmpty, exponent == nil, limits.integers != .unbounded {
            try checkInteger(whole, from: start)
        } else {
            try checkDouble(whole, fraction, exponent: exponent ?? 0, from: start)
        }
    }

    /// One digit or more.
    private mutating func digits() throws(JSONError) -> Range<Int> {
        let start = position
        while isDigit(byte) { position += 1 }
        guard position > start else { throw error(expected: .digit) }
        return start..<position
    }

    /// Sign and digits. Huge ones stop growing, far beyond what any text could balance with zeros.
    private mutating func exponent() throws(JSONError) -> Int {
        let isNegative = byte == UInt8(ascii: "-")
        if isNegative || byte == UInt8(ascii: "+") { position += 1 }
        var value = 0
        for index in try digits() where value < 1 << 56 { value = value * 10 + Int(bytes[index] & 15) }
        return isNegative ? -value : value
    }

    private func checkInteger(_ digits: Range<Int>, from start: Int) throws(JSONError) {
        if digits.count < 19, bytes[start] != UInt8(ascii: "-") { return }
        let largest: UInt64
        if bytes[start] == UInt8(ascii: "-") {
            largest = limits.integers == .unsigned64 ? 0 : 1 << 63
        } else {
            largest = limits.integers == .signed64 ? 1 << 63 - 1 : .max
        }
        var magnitude: UInt64 = 0
        for index in digits {
            let (tenfold, first) = magnitude.multipliedReportingOverflow(by: 10)
            let (sum, second) = tenfold.addingReportingOverflow(UInt64(bytes[index] & 15))
            guard !first, !second, sum <= largest else { throw JSONError(.integerOutOfRange(limits.integers), at: start) }
            magnitude = sum
        }
    }

    /// Only numbers whose first digit stands for 10³⁰⁸ need a closer look: smaller ones fit, larger ones do not.
    private func checkDouble(_ whole: Range<Int>, _ fraction: Range<Int>, exponent: Int, from start: Int) throws(JSONError) {
        let power: Int
        if bytes[whole.lowerBound] != UInt8(ascii: "0") {
            power = whole.count - 1 + exponent
        } else if let first = fraction.first(where: { bytes[$0] != UInt8(ascii: "0") }) {
            power = exponent - (first - fraction.lowerBound + 1)
        } else {
            return
        }
        if power < 308 { return }
        if power == 308, Double(String(decoding: bytes[start..<position], as: UTF8.self))?.isFinite == true { return }
        throw JSONError(.numberOverflows, at: start)
    }

    private func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") < 10 }
}
