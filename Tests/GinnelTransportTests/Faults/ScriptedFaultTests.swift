// System calls that fail when the test says so.

import CGinnelPlatform
import Foundation
import Ginnel
import GinnelCore
import GinnelTesting
import GinnelTransport
import Testing

@Suite(.isolated, .timeLimit(.minutes(5))) struct ScriptedFaultTests {
    private let directory: ScratchDirectory
    private var path: String { directory.file("s") }

    init() throws {
        directory = try ScratchDirectory()
        gn_fault_clear()
    }

    /// Lets the next `times` accepts fail; their name differs between systems.
    private static func failAccepts(_ times: UInt32, _ native: Int32, skip: UInt32 = 0) {
        for operation in ["accept4", "accept"] { _ = gn_fault_add(operation, skip, times, native) }
    }

    /// What a client reads until the end.
    private static func fate(of client: any Channel, on loop: EventLoop) async throws -> [UInt8] {
        let end = ChannelEnd(client, on: loop)
        try await end.attach()
        let (bytes, _) = try await end.receiveAll()
        await end.discard()
        return bytes
    }

    // MARK: Accepting

    @Test func `a client for whom there is no descriptor is told so, and the next one is served`() async throws {
        let endpoint = Endpoint.path(path)
        try await withLoop { loop in
            let listener = try await TestListener(endpoint, on: loop)
            Self.failAccepts(1, EMFILE)
            let unlucky = try Connector.connectOnce(to: endpoint)
            #expect(try await Self.fate(of: unlucky, on: loop) == TestListener.refusal)
            #expect(listener.troubles.value.map(\.code) == [.exhausted])
            #expect(listener.troubles.value.first?.path == path)
            let lucky = try Connector.connectOnce(to: endpoint)
            let channel = try await listener.accepted.wait { $0.count == 1 }[0]
            #expect(lucky.say([7]) == .took(1))
            #expect(channel.hear().bytes == [7])
            try await listener.close()
        }
    }

    @Test func `clients that cannot even be refused wait and are served when there are descriptors again`() async throws {
        let endpoint = Endpoint.path(path)
        try await withLoop { loop in
            let listener = try await TestListener(endpoint, on: loop)
            // Neither the accept nor the refusal that follows it succeeds.
            Self.failAccepts(2, ENFILE)
            let client = try Connector.connectOnce(to: endpoint)
            let channel = try await listener.accepted.wait { $0.count == 1 }[0]
            #expect(client.say([7]) == .took(1))
            #expect(channel.hear().bytes == [7])
            #expect(!listener.troubles.value.isEmpty)
            try await listener.close()
        }
    }

    @Test(.serialized, arguments: [ENOMEM, ENOBUFS, EPERM, EINVAL]) func `a listener recovers from whatever accepting may fail with`(native: Int32) async throws {
        let endpoint = Endpoint.path(path)
        try await withLoop { loop in
            let listener = try await TestListener(endpoint, on: loop)
            Self.failAccepts(1, native)
            let client = try Connector.connectOnce(to: endpoint)
            try await listener.accepted.wait { $0.count == 1 }
            #expect(listener.troubles.value.count == 1)
            #expect(listener.troubles.value.first?.cause?.native == native)
            _ = client
            try await listener.close()
        }
    }

    @Test func `a process that really has no descriptor left refuses, and serves when it has some again`() async throws {
        let endpoint = Endpoint.path(path)
        try await withLoop { loop in
            let listener = try await TestListener(endpoint, on: loop, starts: false)
            let clients = try (0..<3).map { _ in try Connector.connectOnce(to: endpoint) }
            // The descriptors that are open now are all that there may be.
            var hoard: [FileHandle] = []
            try System.setDescriptorLimit(System.descriptors.open + 3)
            while let file = FileHandle(forReadingAtPath: "/dev/null") { hoard.append(file) }
            try await listener.start()
            for client in clients { #expect(try await Self.fate(of: client, on: loop) == TestListener.refusal) }
            #expect(listener.accepted.value.isEmpty)
            for file in hoard { try file.close() }
            let late = try Connector.connectOnce(to: endpoint)
            try await listener.accepted.wait { $0.count == 1 }
            _ = late
            try await listener.close()
        }
    }

    // MARK: Calls that are interrupted or cut short

    @Test func `interruptions and single bytes change nothing of what arrives`() async throws {
        let endpoint = Endpoint.path(path)
        try await withLoop { loop in
            let listener = try await TestListener(endpoint, on: loop)
            for operation in ["accept4", "accept", "connect", "socket", "epoll_wait", "epoll_ctl"] { _ = gn_fault_add(operation, 0, 3, EINTR) }
            for operation in ["recvmsg", "sendmsg"] {
                _ = gn_fault_add(operation, 2, 20, EINTR)
                _ = gn_fault_add(operation, 5, 2000, 0)
            }
            let client = try Connector.connectOnce(to: endpoint)
            let service = try await listener.accepted.wait { $0.count == 1 }[0]
            let pair = try await DriverPair((client, service), clientLoop: loop, serviceLoop: loop)
            for number in 0..<20 {
                let payload = ChannelEnd.pattern(number * 40, seed: UInt64(number))
                let outcome = try await pair.client.call(payload).outcome
                #expect(outcome == .replied(payload))
            }
            try await pair.close()
            try await listener.close()
        }
    }

    @Test func `a poller that fails for a moment loses nothing`() async throws {
        try await withLoop { loop in
            let pair = try await DriverPair(PlatformChannel.pair(), clientLoop: loop, serviceLoop: loop)
            try await pair.client.waitUntilEstablished()
            for operation in ["epoll_wait", "kevent"] { _ = gn_fault_add(operation, 0, 5, EBADF) }
            let outcome = try await pair.client.call([1, 2, 3]).outcome
            #expect(outcome == .replied([1, 2, 3]))
            try await pair.close()
        }
    }

    @Test func `a channel that the poller does not take ends, and its calls with it`() async throws {
        try await withLoop { loop in
            let (client, service) = try PlatformChannel.pair()
            for operation in ["epoll_ctl", "kevent"] { _ = gn_fault_add(operation, 0, 1, ENOSPC) }
            let end = try await DriverEnd.open(client, NativeSession(role: .client, .plain()), role: .client, on: loop)
            let ending = try await end.ending
            #expect(ending.failure.code == .connectionLost && ending.failure.sentence.contains("cannot be watched"))
            let outcome = end.call([1]).outcomes.first
            guard case .failed = outcome else {
                Issue.record("\(String(describing: outcome))")
                return
            }
            gn_fault_clear()
            #expect(service.hear().outcome == .end, "the peer is not left waiting")
        }
    }

    // MARK: Loops

    @Test(.serialized, arguments: ["epoll_create1", "kqueue", "eventfd", "pipe", "timerfd_create"]) func `a loop without descriptors says so`(operation: String) async throws {
        _ = gn_fault_add(operation, 0, 1, EMFILE)
        let error = await ginnelError { _ = try EventLoop(name: "test") }
        // Of these names only some are this system's.
        if let error { #expect(error.code == .exhausted && error.cause?.native == EMFILE, "\(error)") }
    }

    @Test func `a group that cannot start all of its threads has started none`() async throws {
        _ = gn_fault_add("pthread_create", 2, 1, EAGAIN)
        let error = await ginnelError { _ = try await EventLoopGroup.start(name: "leftover", count: 3, .defaults) }
        #expect(error?.code == .exhausted)
        #expect(error?.sentence.contains("thread") == true)
        #expect(!Self.threads.contains { $0.hasPrefix("leftover") })
    }

    @Test func `a client for whom there is no thread is turned away, and the next one is served`() async throws {
        let troubles = Watched([String]())
        var configuration = ServiceConfiguration.defaults
        configuration.engine = .threads
        configuration.log = Log(level: .warning) { _, message, _ in troubles.change { $0.append(message) } }
        let endpoint = Endpoint.path(path)
        let service = Service(at: endpoint, configuration: configuration)
        service.handle("echo") { bytes, _ in bytes.copied() }
        async let running: Void = service.run()
        try await Client.wait(for: endpoint, interval: .milliseconds(1))
        // Whoever came before has a thread by now. This client's own comes first.
        try await Client.connect(to: endpoint, configuration: Self.quiet) { _ = try await $0.call("echo", payload: []) }
        _ = gn_fault_add("pthread_create", 1, 1, EAGAIN)
        let unlucky = await ginnelError { try await Client.connect(to: endpoint, configuration: Self.quiet) { _ in } }
        #expect(unlucky?.failure?.code == .tooManyConnections, "\(String(describing: unlucky))")
        // The client may know of it before the log does.
        _ = try await troubles.wait { $0.contains { $0.contains("turned away") && $0.contains("no thread for an event loop") } }
        try await Client.connect(to: endpoint, configuration: Self.quiet) { client in
            let reply = try await client.call("echo", payload: [7])
            #expect(reply.bytes == [7])
        }
        service.beginGracefulShutdown()
        try await running
    }

    private static var quiet: ClientConfiguration {
        var configuration = ClientConfiguration.defaults
        configuration.log = .off
        return configuration
    }

    @Test func `connections with a thread each leave neither threads nor descriptors behind`() async throws {
        // What a first life brings about once is not left behind by its connections; nor is the runtime's timer, which waiting for a service needs now and then.
        try await Self.liveThroughSixtyConnections(at: .path(path))
        try await Task.sleep(for: .milliseconds(1))  // not a wait: it makes the timer
        let before = System.descriptors.open
        try await Self.liveThroughSixtyConnections(at: .path(path))
        #expect(System.descriptors.open == before)
        #expect(!Self.threads.contains { $0.hasPrefix("ginnel-") })
    }

    /// Some say nothing, some a few words, some are served.
    private static func liveThroughSixtyConnections(at endpoint: Endpoint) async throws {
        var configuration = ServiceConfiguration.defaults
        configuration.engine = .threads
        configuration.log = .off
        let service = Service(at: endpoint, configuration: configuration)
        service.handle("echo") { bytes, _ in bytes.copied() }
        async let running: Void = service.run()
        try await Client.wait(for: endpoint, interval: .milliseconds(1))
        for round in 0..<60 {
            if round % 3 == 2 {
                try await Client.connect(to: endpoint, configuration: quiet) { _ = try await $0.call("echo", payload: [1]) }
            } else {
                let client = try Connector.connectOnce(to: endpoint)
                if round % 3 == 1 { _ = client.say([1, 2, 3]) }
                client.abort()
            }
        }
        service.beginGracefulShutdown()
        try await running
    }

    /// The names of this process's threads.
    private static var threads: [String] {
        let tasks = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/task")) ?? []
        return tasks.compactMap { try? String(contentsOfFile: "/proc/self/task/\($0)/comm", encoding: .utf8) }
    }

    @Test func `a loop whose thread could not be started runs tasks elsewhere`() async throws {
        _ = gn_fault_add("pthread_create", 0, 1, EAGAIN)
        let loop = try EventLoop(name: "test")
        #expect(throws: GinnelError.self) { try loop.start() }
        let isCurrent = await Task(executorPreference: loop) { loop.isCurrent }.value
        #expect(!isCurrent)
        await loop.stop()
    }
}
