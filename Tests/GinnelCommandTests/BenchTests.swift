// `ginnel bench`: figures that hang together, whatever they are.

import Foundation
import Testing

@testable import GinnelCommand

@Suite struct BenchTests {
    @Test(arguments: [["--connections", "3"], ["--low-latency", "--size", "64"], ["--method", "echo_async"]]) func `the figures hang together`(options: [String]) async throws {
        try await withEcho { path, _ in
            let outcome = try await Running(["bench", path, "--seconds", "100ms", "--json"] + options).outcome()
            #expect(outcome.status == 0)
            let result = try #require(try outcome.objects().first)
            func number(_ name: String) -> Double { result[name] as? Double ?? -1 }
            #expect(number("calls") > 0 && number("seconds") >= 0.1)
            #expect(abs(number("rate") - number("calls") / number("seconds")) < 0.01 * number("rate"))
            #expect(number("p50_us") > 0 && number("p50_us") <= number("p99_us"))
            #expect(number("p99_us") <= number("p99_9_us") && number("p99_9_us") <= number("most_us"))
            #expect(number("client_cpu_us") > 0 && number("service_cpu_us") > 0)
        }
    }

    @Test func `a method that is no echo is refused`() async throws {
        try await withEcho { path, _ in
            let outcome = try await Ginnel.run("bench", path, "--method", "ginnel.health", "--seconds", "10ms")
            #expect(outcome.status == 5)
            #expect(outcome.errors.contains("ginnel.health does not give back the bytes it is sent"))
        }
    }

    @Test func `where nobody listens the status is 3, for one connection and for many`() async throws {
        for connections in ["1", "8"] {
            let outcome = try await Ginnel.run("bench", "/nowhere/at/all", "--connections", connections)
            #expect(outcome.status == 3)
            #expect(outcome.errors.hasPrefix("ginnel: cannot connect to /nowhere/at/all: "))
        }
    }

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
        second.record(1_000)
        first.add(second)
        #expect(first.count == 3 && first.least == 10 && first.most == .max)
        #expect(first.percentile(0.5) == 1_002 || abs(first.percentile(0.5) - 1_000) <= 5)
    }
}
