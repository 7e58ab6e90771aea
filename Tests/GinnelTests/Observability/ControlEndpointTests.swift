// The way in for tools, beside services that do not speak native.

import Foundation
import Ginnel
import GinnelTesting
import Testing

@Suite(.serialized, .ownThread, .timeLimit(.minutes(5))) struct ControlEndpointTests {
    private static var tagged: ClientConfiguration {
        var configuration = ClientConfiguration.defaults
        configuration.format = .taggedJSON()
        return configuration
    }

    @Test func `a service that speaks another format is asked at its control endpoint`() async throws {
        try await withRunning(format: .taggedJSON()) { running in
            try await running.log.entry("control endpoint")
            try await running.connect(Self.tagged) { client in
                _ = try? await client.call("add", codec: .json, payload: Array(#"{"type":"add","left":1,"right":2}"#.utf8))
                try await Client.connect(to: #require(running.endpoint.control)) { tool in
                    let metrics = try await tool.serviceMetrics()
                    #expect(metrics.calls("add")?.outcomes == ["ok": 1])
                    #expect(metrics.peers.count == 2)
                    let described = try await tool.call("ginnel.describe", payload: [])
                    #expect(String(decoding: described.bytes, as: UTF8.self).contains(#"{"name":"add","shape":"call"}"#))
                    let health = try await tool.call("ginnel.health", payload: [])
                    #expect(String(decoding: health.bytes, as: UTF8.self) == #"{"status":"serving"}"#)
                }
            }
        }
    }

    @Test func `it serves the reserved methods and nothing else, and its peers are none of the service's`() async throws {
        let heard = Recorded<Int>()
        try await withRunning(format: .taggedJSON()) {
            $0.handle(event: Tick.self) { tick, _ in heard.append(tick.number) }
        } _: { running in
            try await running.log.entry("control endpoint")
            try await Client.connect(to: #require(running.endpoint.control)) { tool in
                let refused = try await errorOf(CallError.self) { try await tool.checkIsServed() }
                #expect(refused.code == .unknownMethod)
                try await tool.send(Tick(number: 1))
                _ = try await tool.call("ginnel.health", payload: [])
                #expect(running.service.connections.isEmpty)
                #expect(try running.service.broadcast(Tick(number: 2)) == 0)
                #expect(heard.all.isEmpty)
            }
        }
    }

    @Test func `a service that speaks native has none unless it is told to`() async throws {
        try await withRunning { running in
            let none = try await errorOf(GinnelError.self) { try await Client.connect(to: #require(running.endpoint.control)) { _ in } }
            #expect(none.code == .notFound)
        }
        try await withDirectory { directory in
            var configuration = ServiceConfiguration.defaults
            configuration.control = .at(.path(directory + "/tools"))
            try await withRunning(configuration) { running in
                try await running.log.entry("control endpoint")
                try await Client.connect(to: .path(directory + "/tools")) { tool in
                    _ = try await tool.serviceMetrics()
                    #expect(try await errorOf(CallError.self) { try await tool.checkIsServed() }.code == .unknownMethod)
                }
            }
        }
    }

    @Test func `it can be turned off`() async throws {
        var configuration = ServiceConfiguration.defaults
        configuration.control = .off
        try await withRunning(configuration, format: .taggedJSON()) { running in
            try await running.connect(Self.tagged) { client in
                _ = try await client.call("add", codec: .json, payload: Array(#"{"type":"add","left":1,"right":2}"#.utf8))
                #expect(!FileManager.default.fileExists(atPath: running.path + ".control"))
            }
        }
    }

    @Test func `where it cannot be had the service runs without, unless it was asked for`() async throws {
        try await withDirectory { directory in
            let path = directory + "/s"
            try #require(FileManager.default.createFile(atPath: path + ".control", contents: nil))
            let log = LogRecorder()
            var configuration = ServiceConfiguration.defaults
            configuration.log = log.log
            let service = makeService(at: .path(path), format: .taggedJSON(), configuration: configuration)
            try await withRunning(Running(service: service, path: path, log: log)) { running in
                let entry = try await running.log.entry("no control endpoint")
                #expect(entry.metadata["event"] == "control-failed" && entry.metadata["endpoint"] == path + ".control")
            }
            configuration.control = .at(.path(path + ".control"))
            let asking = makeService(at: .path(path), configuration: configuration)
            let refused = try await errorOf(GinnelError.self) { try await asking.run() }
            #expect(refused.code == .unsafe)
        }
    }

    @Test func `the names of control endpoints are those of their services with a suffix`() {
        #expect(Endpoint.named("recorder").control == .named("recorder.control"))
        #expect(Endpoint.system("recorder").control == .system("recorder.control"))
        #expect(Endpoint.path("/tmp/s").control == .path("/tmp/s.control"))
        #expect(Endpoint.named(String(repeating: "n", count: 57)).control == nil)
        #expect(Endpoint.inProcess("x").control == nil && Endpoint.inherited(3).control == nil)
    }
}
