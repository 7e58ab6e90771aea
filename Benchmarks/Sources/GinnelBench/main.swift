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
    case nil: print(try await measure(options))
    }
} catch {
    fail("\(error)", status: 1)
}

/// The line that is printed.
func measure(_ options: Options) async throws -> String {
    if !options.pinsLate { try Processor.pin(to: options.clientProcessor) }
    if options.isSerialization { return try Serialization(options: options).run().line }
    let directory = FileManager.default.temporaryDirectory.appendingPathComponent("ginnel-bench-\(UUID())")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
    defer { try? FileManager.default.removeItem(at: directory) }
    let path = directory.appendingPathComponent("echo.sock").path
    let server = try SecondProcess(serving: path)
    do {
        let result = try await measure(options, path: path, server: server.identifier)
        if !options.isBareStream { server.terminate() }
        guard await server.end() else { throw Wrong(description: "the server failed") }
        return result
    } catch {
        server.terminate()
        _ = await server.end()
        throw error
    }
}

func measure(_ options: Options, path: String, server: Int32) async throws -> String {
    if options.isBareStream { return try await StreamClient(options: options, server: server).run(at: path).line }
    try await Client.wait(for: .path(path), interval: .milliseconds(10))
    var loops = LoopConfiguration()
    loops.polling = options.polling
    return try await EventLoop.run(loops) { loop in
        var configuration = ClientConfiguration()
        // With one thread each they have no loop to share.
        configuration.engine = options.work == "idle" ? .reactor : options.engine
        configuration.loop = .shared(loop)
        configuration.format = options.dialect.format
        if options.work == "idle" { return try await Idle(options: options, server: server).run(at: path, configuration) }
        return try await Caller.withCallers(options.connections, to: path, configuration) { callers in
            if options.isThroughMemory { try await waitForMemory(callers[0].client) }
            if options.pinsLate {
                _ = try await callers[0].client.call("pin", payload: [])
                try Processor.pinThreads(to: options.clientProcessor)
            }
            let result: Result
            if options.isOneWay {
                result = try await callers[0].run { try await OneWay(options: options, server: server).run($0) }
            } else {
                result = try await RoundTrip(options: options, server: server).run(callers)
            }
            return result.line
        }
    }
}

/// The connection moves by messages of its own, which calls overtake no more than a few times.
func waitForMemory(_ client: Client) async throws {
    for _ in 0..<1000 where client.transport != .sharedMemory { _ = try await client.ping() }
    guard client.transport == .sharedMemory else { throw Wrong(description: "the connection has not moved to shared memory") }
}
