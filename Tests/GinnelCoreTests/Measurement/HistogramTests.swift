import Testing

@testable import GinnelCore

@Suite struct HistogramTests {
    @Test func `percentiles are within a half percent of the truth`() {
        var histogram = Histogram()
        for value in 1...100_000 as ClosedRange<UInt64> { histogram.record(value * 37) }
        for share in [0.001, 0.1, 0.5, 0.9, 0.99, 0.999, 1] {
            let truth = share * 100_000 * 37
            #expect(abs(histogram.percentile(share) - truth) <= 0.005 * truth)
        }
        #expect(histogram.count == 100_000 && histogram.least == 37 && histogram.most == 3_700_000)
        #expect(Histogram().percentile(0.5) == 0)
    }

    @Test func `histograms of several connections add up`() {
        var first = Histogram()
        var second = Histogram()
        first.record(10)
        second.record(.max)
        second.record(1_003)
        first.add(second)
        #expect(first.count == 3 && first.least == 10 && first.most == .max)
        #expect(abs(first.percentile(0.5) - 1_003) <= 5)
        var alone = Histogram()
        alone.add(second)
        #expect(alone.least == 1_003)
    }

    @Test(arguments: [0, 3, 7]) func `every value lies between the bounds of its bucket`(bits: Int) {
        let scale = LogLinearScale(bits: bits)
        var last = -1
        for shift in 0..<64 as Range<UInt64> {
            for value in [1 << shift - 1, 1 << shift, 1 << shift + 1 << shift / 2] as [UInt64] {
                let bucket = scale.bucket(of: value)
                #expect(scale.least(of: bucket) <= value)
                #expect(value < scale.least(of: bucket + 1))
            }
            let bucket = scale.bucket(of: 1 << shift)
            #expect(bucket > last)
            #expect(scale.least(of: bucket) == 1 << shift)
            last = bucket
        }
        #expect(scale.bucket(of: .max) == scale.count(below: 64) - 1)
        #expect(scale.least(of: scale.count(below: 64)) == .max)
    }

    @Test func `what its buckets say makes the same histogram again`() {
        var histogram = Histogram(Histogram.coarse)
        for value in [0, 1, 15, 16, 17, 1_000, 1_000_000, .max] as [UInt64] { histogram.record(value) }
        let again = Histogram(filled: histogram.filled, sum: histogram.sum)
        #expect(again.filled == histogram.filled && again.count == 8 && again.sum == .max)
        #expect(again.count(below: 16) == 3)
        #expect(again.count(below: 1 << 20) == 7)
    }

    @Test func `what has come since an earlier look is told apart`() {
        var histogram = Histogram(Histogram.coarse)
        histogram.record(100)
        let earlier = histogram
        histogram.record(5_000)
        let since = histogram.since(earlier)
        #expect(since.count == 1 && since.sum == 5_000)
        #expect(abs(since.percentile(0.99) - 5_000) < 400)
        #expect(earlier.since(histogram).count == 0)
    }

    @Test func `numbers that a peer has made up saturate`() {
        let bucket = Histogram.Bucket(bound: .max, count: .max)
        var histogram = Histogram(filled: [bucket, bucket, .init(bound: 0, count: .max)], sum: .max)
        histogram.add(histogram)
        histogram.record(.max)
        #expect(histogram.count == .max && histogram.sum == .max)
        #expect(histogram.count(below: 1 << 63) == .max)
        #expect(histogram.percentile(1) >= 0 && histogram.percentile(0.01) >= 0)
    }
}
