// A call's place in a trace, from program to program.

import Ginnel
import GinnelTesting
import Testing

@Suite(.serialized, .ownThread, .timeLimit(.minutes(5))) struct TraceTests {
    private static let trace = TraceContext(traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", tracestate: "a=1")!

    @Test func `a handler sees the trace of its caller, and nothing where there is none`() async throws {
        let seen = Recorded<TraceContext?>()
        try await withRunning {
            $0.handle("plain") { _, context in
                seen.append(context.trace)
                return []
            }
            $0.handle("async") { _, context async throws -> [UInt8] in
                seen.append(context.trace)
                seen.append(.current)
                return []
            }
        } _: { running in
            try await running.connect { client in
                for method in ["plain", "async"] { _ = try await client.call(method, payload: []) }
                #expect(seen.all == [nil, nil, nil])
                try await TraceContext.$current.withValue(Self.trace) {
                    for method in ["plain", "async"] { _ = try await client.call(method, payload: [], deadline: .seconds(60)) }
                }
                #expect(seen.all.dropFirst(3) == [Self.trace, Self.trace, Self.trace])
                #expect(TraceContext.current == nil)
            }
        }
    }

    @Test func `calls and streams that a handler begins carry its trace on`() async throws {
        let seen = Recorded<TraceContext?>()
        try await withRunning {
            $0.handle("end") { _, context in
                seen.append(context.trace)
                return []
            }
            $0.handle(Blocks.self) { _, context, _ in seen.append(context.trace) }
        } _: { inner in
            try await inner.connect { toInner in
                try await withRunning {
                    $0.handle("middle", on: .concurrent) { _, _ async throws -> [UInt8] in
                        async let first = toInner.call("end", payload: [])
                        for try await _ in try await toInner.open("blocks", codec: .json, payload: Array(#"{"count":0}"#.utf8)) {}
                        return try await first.bytes
                    }
                } _: { outer in
                    try await outer.connect { client in
                        try await TraceContext.$current.withValue(Self.trace) { _ = try await client.call("middle", payload: []) }
                        #expect(seen.all == [Self.trace, Self.trace])
                        _ = try await client.call("middle", payload: [])
                        #expect(seen.all.suffix(2) == [nil, nil])
                    }
                }
            }
        }
    }

    @Test func `a peer's nonsense in place of a trace harms nobody`() async throws {
        let seen = Recorded<TraceContext?>()
        try await withRunning {
            $0.handle("look") { _, context in
                seen.append(context.trace)
                return []
            }
        } _: { running in
            let peer = try await RawPeer.greeted(at: running.path)
            for (number, text) in ["", "00-zz", Self.trace.traceparent].enumerated() {
                let body = WireFrame.requestBody("look", fields: WireFrame.field(1, Array(text.utf8)) + WireFrame.field(2, [0xFF, 0x00]))
                try await peer.send(WireFrame(WireFrame.Kind.request, stream: UInt32(2 * number + 1), lane: 2, body))
                #expect(try await peer.frame()?.kind == WireFrame.Kind.response)
            }
            #expect(seen.all.map { $0?.traceparent } == [nil, nil, Self.trace.traceparent])
            #expect(seen.all.allSatisfy { $0?.tracestate == nil })
        }
    }

    @Test func `where a library keeps the trace it is asked for it`() async throws {
        let seen = Recorded<TraceContext?>()
        let kept = Self.trace.child(0x77)
        try await withRunning {
            $0.handle("look") { _, context in
                seen.append(context.trace)
                return []
            }
        } _: { running in
            var configuration = ClientConfiguration.defaults
            configuration.instruments.trace = { kept }
            try await running.connect(configuration) { client in
                try await TraceContext.$current.withValue(Self.trace) { _ = try await client.call("look", payload: []) }
                #expect(seen.all == [kept])
            }
        }
    }
}
