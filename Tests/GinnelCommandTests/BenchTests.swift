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
}
