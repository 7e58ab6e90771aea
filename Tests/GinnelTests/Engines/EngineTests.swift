// Both engines do the same, whichever the other side has. What is here is the core; `make threads` runs everything else once more with a thread for each connection.

import CTestSupport
import Ginnel
import GinnelTesting
import GinnelTransport
import Testing

/// Which engine the two sides have.
struct Engines: Sendable, CustomTestStringConvertible {
    let service: Engine
    let client: Engine

    var testDescription: String { "\(service.name) serves \(client.name)" }

    /// All but the loops on both sides, which every other suite is about.
    static let all = [Engines(service: .threads, client: .threads), Engines(service: .threads, client: .reactor), Engines(service: .reactor, client: .threads)]

    /// What the service and the client of this pair are told, and nobody's environment.
    var serviceConfiguration: ServiceConfiguration {
        var configuration = ServiceConfiguration.defaults
        configuration.engine = service
        return configuration
    }

    var clientConfiguration: ClientConfiguration {
        var configuration = ClientConfiguration.defaults
        configuration.engine = client
        return configuration
    }
}

@Suite(.serialized, .ownThread, .timeLimit(.minutes(5))) struct EngineTests {
    static let transports: [Set<Transport>] = [[.socket], [.socket, .sharedMemory]]

    @Test(arguments: Engines.all, transports) func `calls and streams of every shape and size are the same`(engines: Engines, transports: Set<Transport>) async throws {
        try await withRunning(engines.serviceConfiguration, transports: transports) { running in
            #expect(running.service.engine == engines.service)
            try await running.connect(engines.clientConfiguration) { client in
                #expect(client.engine == engines.client && client.isOnLoop)
                if transports.contains(.sharedMemory) { try await running.log.entry("the connection goes on through shared memory") }
                for size in [0, 1, 1_000, 65_536, 1_000_000] {
                    let payload = ChannelEnd.pattern(size, seed: UInt64(size))
                    #expect(try await client.call("echo", payload: payload).bytes == payload)
                    #expect(try await client.call("echo_async", payload: payload).bytes == payload)
                }
                var counted: [Int] = []
                for try await item in try await client.open(Count(to: 500)) { counted.append(item.value) }
                #expect(counted == Array(0..<500))
                #expect(try await client.call(Add(left: 40, right: 2)) == Sum(value: 42))
                #expect(client.isOnLoop)
            }
        }
    }

    @Test(arguments: Engines.all, transports) func `many callers on threads of their own get their own answers`(engines: Engines, transports: Set<Transport>) async throws {
        try await withRunning(engines.serviceConfiguration, transports: transports) { running in
            try await running.connect(engines.clientConfiguration) { client in
                try await withThrowingTaskGroup { group in
                    for series: UInt64 in 0..<8 {
                        group.addTask(executorPreference: globalConcurrentExecutor) {
                            var payloads = SeededMessages(seed: series, lengths: 0...60_000)
                            for _ in 0..<40 {
                                let payload = payloads.next()
                                let reply = try await client.call("echo", payload: payload)
                                #expect(reply.bytes == payload)
                            }
                        }
                    }
                    try await group.waitForAll()
                }
            }
        }
    }

    @Test(arguments: Engines.all) func `events come in order, to one and to all`(engines: Engines) async throws {
        try await withRunning(engines.serviceConfiguration) { running in
            try await running.connect(engines.clientConfiguration) { client in
                let ticks = client.events(of: Tick.self)
                let sent = running.service.events(of: Tick.self)
                try await client.checkIsServed()
                for number in 0..<100 {
                    #expect(try running.service.broadcast(Tick(number: number)) == 1)
                    try await client.send(Tick(number: number))
                }
                var (received, arrived) = (ticks.makeAsyncIterator(), sent.makeAsyncIterator())
                for number in 0..<100 {
                    #expect(await received.next() == .event(Tick(number: number)))
                    #expect(await arrived.next() == .event(Tick(number: number)))
                }
            }
        }
    }

    @Test(arguments: Engines.all) func `cancelling and deadlines end the handler too`(engines: Engines) async throws {
        let (begun, cancelled) = (Recorded<Void>(), Recorded<Void>())
        try await withRunning(engines.serviceConfiguration) {
            $0.handle("wait") { _, _ async throws -> [UInt8] in
                begun.signal()
                await DeadlineTests.waitForCancellation()
                cancelled.signal()
                return []
            }
        } _: { running in
            try await running.connect(engines.clientConfiguration) { client in
                let late = try await errorOf(CallError.self) { _ = try await client.call("wait", payload: [], deadline: .milliseconds(20)) }
                #expect(late.code == .deadlineExceeded)
                try await cancelled.wait()
                let caller = Task { try await client.call("wait", payload: []) }
                try await begun.wait(for: 2)
                caller.cancel()
                let given = try await errorOf(CallError.self) { _ = try await caller.value }
                #expect(given.code == .cancelled)
                try await cancelled.wait(for: 2)
                try await client.checkIsServed()
            }
        }
    }

    @Test(arguments: Engines.all) func `a graceful end lets calls in flight finish`(engines: Engines) async throws {
        let holding = ServiceLifeTests.Holding()
        try await withRunning(engines.serviceConfiguration) {
            holding.add(to: $0)
        } _: { running in
            try await running.connect(engines.clientConfiguration) { client in
                async let held = client.call("hold", payload: [])
                try await holding.begun.wait()
                running.service.beginGracefulShutdown()
                try await running.log.entry("the peer says goodbye")
                let refused = try await errorOf(CallError.self) { _ = try await client.call("echo", payload: []) }
                #expect(refused.code == .unavailable)
                holding.release.signal()
                #expect(try await held.bytes == [42])
            }
        }
    }

    @Test func `a peer that reads nothing is closed, and its neighbour is served`() async throws {
        var configuration = ServiceConfiguration.defaults
        configuration.engine = .threads
        configuration.limits.bufferedBytes = 1 << 20
        let asked = Recorded<Void>()
        try await withNeighbour(configuration) {
            $0.handle("large") { _, _ in
                asked.signal()
                return [UInt8](repeating: 1, count: 900_000)
            }
        } _: { running, neighbour in
            let peer = try await RawPeer.greeted(at: running.path)
            for stream in [UInt32(1), 3, 5, 7] { try await peer.send(.request(stream, "large")) }
            try await asked.wait(for: 2)
            try await neighbour.check()
            try await peer.expectGoodbye(.slowReader)
            try await running.log.entry(ended(.slowReader), "bufferedBytes")
        }
    }

    // MARK: What only threads promise

    @Test func `each connection has a thread of its own, and a handler that holds it holds nobody else`() async throws {
        var configuration = ServiceConfiguration.defaults
        configuration.engine = .threads
        let gate = Gate()
        try await withRunning(configuration) {
            $0.handle("thread") { _, _ in withUnsafeBytes(of: System.currentThread) { [UInt8]($0) } }
            $0.handle("hold its thread") { _, _ in
                gate.wait()
                return []
            }
            $0.handle("let go") { _, _ in
                gate.open()
                return []
            }
        } _: { running in
            let configuration = Engines.all[0].clientConfiguration
            try await running.connect(configuration) { first in
                try await running.connect(configuration) { second in
                    let threads = try await [first.call("thread", payload: []).bytes, second.call("thread", payload: []).bytes, first.call("thread", payload: []).bytes]
                    #expect(threads[0] != threads[1] && threads[0] == threads[2])
                    async let held = first.call("hold its thread", payload: [])
                    try await second.checkIsServed()
                    _ = try await second.call("let go", payload: [])
                    _ = try await held
                }
            }
        }
    }

    @Test func `a client with threads has one of its own, even where it was given a loop to share`() async throws {
        try await withRunning { running in
            try await EventLoop.run { loop in
                var sharing = ClientConfiguration.defaults
                sharing.engine = .threads
                sharing.loop = .shared(loop)
                try await running.connect(sharing) { client in
                    #expect(client.isOnLoop && !loop.isCurrent)
                    try await client.checkIsServed()
                }
                // The shared one is nobody's to end.
                try await loop.run {}
            }
        }
    }

    /// Any JSON, decoded as many programs do it: each level tries what it may be.
    private enum Anything: Request {
        typealias Response = Sum
        static let method = "anything"

        case flag(Bool)
        case number(Swift.Double)
        case list([Anything])
        case fields([String: Anything])

        init(from decoder: any Decoder) throws {
            let value = try decoder.singleValueContainer()
            if let flag = try? value.decode(Bool.self) {
                self = .flag(flag)
            } else if let number = try? value.decode(Swift.Double.self) {
                self = .number(number)
            } else if let list = try? value.decode([Anything].self) {
                self = .list(list)
            } else {
                self = .fields(try value.decode([String: Anything].self))
            }
        }

        func encode(to encoder: any Encoder) throws {}

        var depth: Int { if case .list(let list) = self { 1 + (list.first?.depth ?? 0) } else { 0 } }
    }

    /// The decoder follows 512 levels and refuses what goes deeper.
    @Test(.disabled(if: ts_is_sanitized(), "a sanitizer's frames are larger"), arguments: [511, 100_000])
    func `what a peer nests as deep as it likes does not overrun the stack`(depth: Int) async throws {
        var configuration = ServiceConfiguration.defaults
        configuration.engine = .threads
        try await withRunning(configuration) {
            $0.handle(Anything.self) { request, _ in Sum(value: request.depth) }
        } _: { running in
            try await running.connect { client in
                let text = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
                let reply = try? await client.call("anything", codec: .json, payload: Array(text.utf8))
                #expect(reply.map { String(decoding: $0.bytes, as: UTF8.self) } == (depth < 512 ? #"{"value":\#(depth)}"# : nil))
                try await client.checkIsServed()
            }
        }
    }
}
