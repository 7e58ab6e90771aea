// The methods that every native service has (docs/protocol.md §5).

import Ginnel
import Testing

@Suite(.serialized, .ownThread, .timeLimit(.minutes(5))) struct ReservedMethodTests {
    @Test func `ginnel.health says that it serves`() async throws {
        try await withRunning { running in
            try await running.connect { client in
                let reply = try await client.call("ginnel.health", payload: [])
                #expect(reply.codec == .json)
                #expect(String(decoding: reply.bytes, as: UTF8.self) == #"{"status":"serving"}"#)
            }
        }
    }

    @Test func `ginnel.describe lists the methods with their shapes, in name order`() async throws {
        let name = uniqueName()
        try await withService(makeService(at: .inProcess(name))) {
            try await Client.wait(for: .inProcess(name))
            try await Client.connect(to: .inProcess(name)) { client in
                let reply = try await client.call("ginnel.describe", payload: [])
                let methods = [("add", "call"), ("count", "stream"), ("double", "exchange"), ("echo", "call"), ("echo_async", "call"), ("total", "upload")]
                let list = methods.map { #"{"name":"\#($0)","shape":"\#($1)"}"# }.joined(separator: ",")
                #expect(String(decoding: reply.bytes, as: UTF8.self) == #"{"methods":[\#(list)],"service":"\#(name)"}"#)
            }
        }
    }
}
