// Trace contexts as the W3C recommendation has them: what is one, what is none, and what is left of one that is partly wrong.

import GinnelTesting
import Testing

@testable import GinnelCore

@Suite struct TraceContextTests {
    static let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

    @Test func `a traceparent is read and written again`() throws {
        let context = try #require(TraceContext(traceparent: Self.parent, tracestate: "rojo=00f067aa0ba902b7"))
        #expect(context.traceparent == Self.parent)
        #expect(context.trace.description == "0af7651916cd43dd8448eb211c80319c")
        #expect(context.parent == 0xB7AD_6B71_6920_3331)
        #expect(context.isSampled)
        #expect(context.tracestate == "rojo=00f067aa0ba902b7")
        #expect(context == TraceContext(trace: context.trace, parent: context.parent, isSampled: true, state: context.tracestate))
        #expect(context != TraceContext(traceparent: Self.parent))
    }

    @Test(arguments: [
        "", "00", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
        "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "0g-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01.more", "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01", "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0G", "00_0af7651916cd43dd8448eb211c80319c_b7ad6b7169203331_01",
        " 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0", "00-0af7651916cd43dd8448eb211c8031\u{E9}-b7ad6b7169203331-01",
    ]) func `what is no traceparent is none`(text: String) {
        #expect(TraceContext(traceparent: text) == nil)
    }

    @Test func `a later version is read as far as this one goes`() throws {
        for text in ["cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-what-the-future-will-be"] {
            #expect(try #require(TraceContext(traceparent: text)).traceparent == Self.parent)
        }
    }

    @Test func `flags without a meaning are not passed on`() throws {
        let text = Self.parent.dropLast(2)
        #expect(try #require(TraceContext(traceparent: text + "ff")).traceparent == text + "03")
        #expect(try #require(TraceContext(traceparent: text + "fc")).isSampled == false)
    }

    @Test(arguments: [
        "a=1", "rojo=1,congo=2", "rojo=1 , \tcongo=2", "rojo=1,,congo=2", "rojo=1,", "fw529a3039@dt=FfhN3qr9", "0a_-*/=x y", String(repeating: "z", count: 255) + "=1",
    ]) func `a list of vendors is kept as it is`(state: String) {
        #expect(TraceContext(traceparent: Self.parent, tracestate: state)?.tracestate == state)
    }

    @Test(arguments: [
        "", ",", "a", "=1", "a=", "A=1", "a@=1", "@a=1", "a@b@c=1", "a=1=2", "a=\u{7}", "a=ü", "a b=1", "-a=1", "a@123456789012345=1", String(repeating: "z", count: 257) + "=1",
        "a=" + String(repeating: "z", count: 511), (0..<33).map { "k\($0)=1" }.joined(separator: ","),
    ]) func `what is no list of vendors costs the list alone`(state: String) {
        let context = TraceContext(traceparent: Self.parent, tracestate: state)
        #expect(context != nil && context?.tracestate == nil)
    }

    @Test func `a child belongs to the same trace`() throws {
        let context = try #require(TraceContext(traceparent: Self.parent, tracestate: "a=1"))
        #expect(context.child(0x1234)?.traceparent == "00-0af7651916cd43dd8448eb211c80319c-0000000000001234-01")
        #expect(context.child(0x1234)?.tracestate == "a=1")
        #expect(context.child(0) == nil)
        #expect(TraceContext(trace: Identity(high: 0, low: 0), parent: 1, isSampled: true) == nil)
        #expect(TraceContext(trace: context.trace, parent: 0, isSampled: true) == nil)
    }

    // MARK: In a request

    private func request(_ fields: [(UInt16, String)]) -> RecordedRequest? {
        var service = MachineEnd.openService()
        service.receive(WireFrame(WireFrame.Kind.request, stream: 1, lane: 2, WireFrame.requestBody("m", fields: fields.flatMap { WireFrame.field($0.0, Array($0.1.utf8)) })))
        return service.requests.first
    }

    @Test func `fields that make no sense are as if they had not been sent, and no violation`() {
        #expect(request([(1, Self.parent), (2, "a=1")])?.trace == TraceContext(traceparent: Self.parent, tracestate: "a=1"))
        #expect(request([(1, Self.parent), (2, "no list")])?.trace == TraceContext(traceparent: Self.parent))
        for fields in [[(1, "nonsense")], [(2, "a=1")], [(1, ""), (2, "")], [(77, "unknown")], []] as [[(UInt16, String)]] {
            let request = request(fields)
            #expect(request != nil && request?.trace == nil)
        }
    }

    @Test func `the trace counts against the peer's limits like the rest of a request`() {
        let trace = TraceContext(traceparent: Self.parent)
        var client = MachineEnd.openClient(welcome: HandGreeting.welcome.with(4, WireFrame.u32(1024)))
        // The head of a request is 12 bytes and the name; a trace is a field of 59.
        let payload = [UInt8](repeating: 0, count: 1024 - 12 - 1)
        #expect(client.call("m", payload).outcomes.isEmpty)
        let call = client.call("m", payload, trace: trace)
        #expect(call.outcomes.count == 1)
        #expect(client.call("m", Array(payload.dropLast(59)), trace: trace).outcomes.isEmpty)
    }
}
