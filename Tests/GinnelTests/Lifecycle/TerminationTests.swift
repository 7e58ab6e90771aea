// Services that are asked to end: by requests of a test, and by real signals to real processes.

import Foundation
import Ginnel
import GinnelTransport
import Testing

@Suite(.serialized, .ownThread, .timeLimit(.minutes(5))) struct TerminationTests {
    /// Runs a service with one call in flight, which `finish` lets end; requests come from the test.
    private static func withCallInFlight(
        _ configuration: ServiceConfiguration = .defaults,
        _ body: @escaping @Sendable (AsyncStream<TerminationRequest>.Continuation, _ finish: AsyncStream<Never>.Continuation) async throws -> Void
    ) async throws -> (result: ShutdownResult, call: Result<Reply, any Error>) {
        try await withDirectory { directory in
            let (requests, asker) = AsyncStream.makeStream(of: TerminationRequest.self)
            let (isFinished, finish) = AsyncStream.makeStream(of: Never.self)
            let begun = Recorded<Void>()
            let log = LogRecorder()
            var configuration = configuration
            configuration.log = log.log
            let service = makeService(at: .path(directory + "/s"), configuration: configuration)
            service.handle("finish") { _, _ async throws -> [UInt8] in
                begun.signal()
                for await _ in isFinished {}
                try Task.checkCancellation()
                return [1]
            }
            return try await withThrowingTaskGroup(of: Void.self) { group in
                async let result = service.run(until: .requested(by: requests))
                try await log.entry("listening")
                async let call = Self.call(directory + "/s")
                try await begun.wait()
                try await body(asker, finish)
                let outcome = (try await result, await call)
                #expect(log.entries.all.contains { $0.metadata["event"] == "asked-to-stop" && $0.metadata["by"] != nil })
                #expect(log.entries.all.allSatisfy { $0.metadata["event"]?.isEmpty == false })
                return outcome
            }
        }
    }

    private static func call(_ path: String) async -> Result<Reply, any Error> {
        do {
            return .success(try await Client.connect(to: .path(path)) { try await $0.call("finish", payload: []) })
        } catch {
            return .failure(error)
        }
    }

    @Test func `the first request lets calls in flight finish`() async throws {
        let (result, call) = try await Self.withCallInFlight { asker, finish in
            asker.yield(.terminate)
            finish.finish()
        }
        #expect(result == .stopped(.terminate) && result.exitStatus == 0)
        #expect(try call.get().bytes == [1])
    }

    @Test func `the second request cuts off what is in flight`() async throws {
        let (result, call) = try await Self.withCallInFlight { asker, _ in
            asker.yield(.terminate)
            asker.yield(.interrupt)
        }
        #expect(result == .cutOff(.interrupt) && result.exitStatus == 130)
        #expect(throws: (any Error).self) { try call.get() }
    }

    @Test func `calls that do not finish are cut off when their time is over`() async throws {
        var configuration = ServiceConfiguration.defaults
        configuration.shutdownTimeout = .milliseconds(20)
        let (result, call) = try await Self.withCallInFlight(configuration) { asker, _ in asker.yield(.terminate) }
        #expect(result == .stopped(.terminate))
        #expect(throws: (any Error).self) { try call.get() }
    }

    @Test func `requests that end without one change nothing`() async throws {
        try await withDirectory { directory in
            let (requests, asker) = AsyncStream.makeStream(of: TerminationRequest.self)
            asker.finish()
            let service = makeService(at: .path(directory + "/s"))
            async let result = service.run(until: .requested(by: requests))
            try await Client.wait(for: .path(directory + "/s"))
            try await Client.connect(to: .path(directory + "/s")) { try await $0.checkIsServed() }
            service.beginGracefulShutdown()
            #expect(try await result == .finished)
        }
    }

    @Test(arguments: [SIGTERM, SIGINT]) func `a program that serves ends with status 0 after a signal, and its peers are told why`(signal: Int32) async throws {
        try await withDirectory { directory in
            let service = try Child(["serve", "--endpoint", directory + "/s"])
            try await service.line("listening")
            let log = LogRecorder()
            var configuration = ClientConfiguration.defaults
            configuration.log = log.log
            try await Client.connect(to: .path(directory + "/s"), configuration: configuration) { client in
                try await client.checkIsServed()
                kill(pid_t(service.id), signal)
                try await log.entry("the connection ended", "the service is stopping")
            }
            #expect(try await service.status() == 0)
            try await service.line("over")
            #expect(try FileManager.default.contentsOfDirectory(atPath: directory) == [])
        }
    }

    @Test func `a second signal ends a program that is held up, with the signal in its status, and leaves nothing behind`() async throws {
        try await withDirectory { directory in
            let service = try Child(["serve", "--endpoint", directory + "/s"])
            try await service.line("listening")
            try await Client.connect(to: .path(directory + "/s")) { client in
                async let held: Reply? = try? client.call("hold", payload: [])
                try await service.line("held 1")
                kill(pid_t(service.id), SIGTERM)
                try await service.line("stopping")
                kill(pid_t(service.id), SIGTERM)
                #expect(await held == nil)
            }
            #expect(try await service.status() == 128 + SIGTERM)
            #expect(try FileManager.default.contentsOfDirectory(atPath: directory) == [])
        }
    }
}
