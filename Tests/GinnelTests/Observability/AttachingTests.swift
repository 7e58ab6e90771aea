// Loggers, metrics and tracers of other libraries, attached as docs/observability.md shows it.

import Ginnel
import GinnelTesting
import Testing

@Suite(.serialized, .ownThread, .timeLimit(.minutes(5))) struct AttachingTests {
    private static let trace = TraceContext(traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")!

    @Test func `a logger, a library for metrics and a tracer attach as the page shows it`() async throws {
        var configuration = ServiceConfiguration.defaults
        configuration.instruments = .attached
        let seen = Recorded<TraceContext?>()
        try await withRunning {
            $0.handle("inner") { _, context in
                seen.append(context.trace)
                return []
            }
        } _: { inner in
            var toInner = ClientConfiguration.defaults
            toInner.instruments = .attached
            toInner.log = .through(Logger(label: "client"))
            let configuration = configuration
            try await Client.connect(to: inner.endpoint, configuration: toInner) { client in
                try await withRunning(configuration) {
                    $0.handle("outer") { _, _ async throws -> [UInt8] in try await client.call("inner", payload: []).bytes }
                    $0.handle("throws") { _, _ async throws -> [UInt8] in throw CallError(.init(rawValue: 2000), "as agreed") }
                } _: { outer in
                    try await outer.connect { caller in
                        try await TraceContext.$current.withValue(Self.trace) { _ = try await caller.call("outer", payload: []) }
                        let caught = try await errorOf(CallError.self) { _ = try await caller.call("throws", payload: []) }
                        #expect(caught.code.rawValue == 2000, "an error goes through the span")
                    }
                }
            }
        }
        #expect(StandInTracer.spans.all.first == "server outer in \(Self.trace)")
        // What the handler called belongs to its span, in the caller's trace.
        #expect(seen.all == [Self.trace.child(1)])
        #expect(Timer.recorded.all.contains("ginnel_calls direction=served method=outer outcome=ok true"))
        #expect(Timer.recorded.all.contains("ginnel_calls direction=made method=inner outcome=ok true"))
        #expect(Timer.recorded.all.contains("ginnel_calls direction=served method=throws outcome=2000 true"))
        #expect(Logger.written.all.contains { $0.hasPrefix("client info: the connection ended") && $0.hasSuffix("[ended]") })
    }

    @Test func `a hook that does not run the handler ends the call with a named error`() async throws {
        var configuration = ServiceConfiguration.defaults
        configuration.instruments.around = { _, _ in }
        try await withRunning(configuration) { running in
            try await running.connect { client in
                let caught = try await errorOf(CallError.self) { _ = try await client.call("echo_async", payload: []) }
                #expect(caught.code == .internal && caught.sentence.contains("instruments.around"))
                try await client.checkIsServed()
            }
        }
    }
}
