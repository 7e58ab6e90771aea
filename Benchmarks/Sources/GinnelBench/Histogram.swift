// Latencies, counted in buckets 1/128 of their value wide: recording one touches one counter and allocates nothing, however many there are.

struct Histogram {
    private var buckets = [UInt32](repeating: 0, count: 30 * 128)
    private(set) var count = 0
    private var sum: UInt64 = 0

    /// Nanoseconds. Whatever takes longer than a minute, which nothing here does, counts as that.
    mutating func add(_ latency: UInt64) {
        buckets[min(Self.bucket(of: latency), buckets.count - 1)] += 1
        count += 1
        sum += latency
    }

    static func += (one: inout Histogram, other: Histogram) {
        for index in one.buckets.indices { one.buckets[index] += other.buckets[index] }
        one.count += other.count
        one.sum += other.sum
    }

    var mean: Double { Double(sum) / Double(count) }

    /// The middle of the bucket in which so large a part of all latencies has come.
    func percentile(_ part: Double) -> Double {
        let rank = (Double(count) * part).rounded(.up)
        var seen = 0.0
        for (index, number) in buckets.enumerated() {
            seen += Double(number)
            if seen >= rank { return Self.middle(of: index) }
        }
        return Self.middle(of: buckets.count - 1)
    }

    /// Values below 256 are buckets themselves; each doubling above them is 128.
    private static func bucket(of value: UInt64) -> Int {
        if value < 256 { return Int(value) }
        let shift = 56 - value.leadingZeroBitCount
        return shift * 128 + Int(value >> UInt64(shift))
    }

    private static func middle(of bucket: Int) -> Double {
        if bucket < 256 { return Double(bucket) }
        let shift = bucket / 128 - 1
        return (Double(bucket % 128 + 128) + 0.5) * Double(UInt64(1) << UInt64(shift))
    }
}
