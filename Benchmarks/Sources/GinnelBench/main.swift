// One workload, once: starts itself a second time as the server, measures, prints one line.

import Foundation
import Ginnel

func fail(_ sentence: String, status: Int32) -> Never {
    FileHandle.standardError.write(Data("ginnel-bench: \(sentence)\n".utf8))
    exit(status)
}

let options: Options
do {
    options = try Options(Array(CommandLine.arguments.dropFirst()))
} catch let error as Options.Unusable {
    fail(error.sentence, status: 2)
}
do {
    switch options.serve {
    case let path? where options.isBareStream: try await StreamServer.run(options, path: path)
    case let path?: try await Server.run(options, path: path)
    case nil: print(try await measure(options).line)
    }
} catch {
    fail("\(error)", status: 1)
}

func measure(_ options: Options) async throws -> Result {
    if !options.pinsLate { try Processor.pin(to: options.clientProcessor) }
    let directory = FileManager.default.temporaryDirectory.appendingPathComponent("ginnel-bench-\(UUID())")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
    defer { try? FileManager.default.removeItem(at: directory) }
    let path = directory.appendingPathComponent("echo.sock").path
    let server = try SecondProcess(serving: path)
    do {
        let result = try await measure(options, path: path, server: server.identifier)
        guard await server.end() else { throw Wrong(description: "the server failed") }
        return result
    } catch {
        server.terminate()
        _ = await server.end()
        throw error
    }
}

func measure(_ options: Options, path: String, server: Int32) async throws -> Result {
    if options.isBareStream { return try await StreamClient(options: options, server: server).run(at: path) }
    return try await withClients(options, path: path) { clients, loop in
        let result: Result
        if options.isOneWay {
            result = try await OneWay(options: options, server: server).run(clients[0])
        } else {
            result = try await RoundTrip(options: options, server: server).run(clients, loop: loop)
        }
        _ = try? await clients[0].call("stop", payload: [])
        return result
    }
}

/// Runs `body` with as many connected clients as are wanted, all on one loop.
func withClients(_ options: Options, path: String, _ body: @Sendable ([Client], EventLoop) async throws -> Result) async throws -> Result {
    try await Client.wait(for: .path(path), interval: .milliseconds(10))
    var loops = LoopConfiguration()
    loops.polling = options.polling
    return try await EventLoop.run(loops) { loop in
        var configuration = ClientConfiguration()
        configuration.loop = .shared(loop)
        let clients = (0..<options.connections).map { _ in Client(to: .path(path), configuration: configuration) }
        return try await withThrowingTaskGroup(of: Void.self) { group in
            for client in clients { group.addTask { try? await client.run() } }
            for client in clients { _ = try await client.ping() }
            if options.isThroughMemory { try await waitForMemory(clients[0]) }
            if options.pinsLate {
                _ = try await clients[0].call("pin", payload: [])
                try Processor.pinThreads(to: options.clientProcessor)
            }
            let result = try await body(clients, loop)
            for client in clients { client.close() }
            try await group.waitForAll()
            return result
        }
    }
}

/// The connection moves by messages of its own, which calls overtake no more than a few times.
func waitForMemory(_ client: Client) async throws {
    for _ in 0..<1000 where client.transport != .sharedMemory { _ = try await client.ping() }
    guard client.transport == .sharedMemory else { throw Wrong(description: "the connection has not moved to shared memory") }
}
