// A segment that cannot be had, on either side and at every step: the connection stays on the socket, says why, and serves; the next one has its segment. And what many streams leave behind.

import CGinnelPlatform
import CTestSupport
import Foundation
import Ginnel
import GinnelCore
import GinnelTesting
import GinnelTransport
import Testing

@Suite(.isolated, .serialized, .enabled(if: ts_has_memory()), .timeLimit(.minutes(5))) struct SharedMemoryFaultTests {
    /// Operation, the call of it that fails (the service's steps come before the client's), and with what.
    static let faults: [(String, UInt32, Int32)] = [
        ("memfd_create", 0, ENOMEM), ("memfd_create", 0, EMFILE), ("memfd_create", 0, EPERM), ("fallocate", 0, ENOSPC), ("fallocate", 0, ENOMEM), ("ftruncate", 0, ENOSPC),
        ("mmap", 0, ENOMEM), ("mmap", 1, ENOMEM), ("mmap", 1, EAGAIN), ("eventfd", 0, EMFILE), ("eventfd", 1, ENFILE), ("eventfd", 0, ENOMEM), ("fcntl", 0, ENOMEM),
    ]

    @Test(arguments: faults) func `a segment that cannot be had leaves the connection on the socket, and the next one is not concerned`(
        operation: String, skip: UInt32, native: Int32
    ) async throws {
        gn_fault_clear()
        let directory = try ScratchDirectory()
        let log = Watched<[String]>([])
        try await withService(directory.file("s"), log) { endpoint in
            try await withLoop { loop in
                var configuration = ClientConfiguration.defaults
                configuration.loop = .shared(loop)
                configuration.log = Log(level: .info) { _, message, _ in log.change { $0.append(message) } }
                #expect(gn_fault_add(operation, skip, 1, native))
                try await Client.connect(to: endpoint, configuration: configuration) { client in
                    let reply = try await client.call("echo", payload: [7])
                    #expect(reply.bytes == [7])
                    let said = try await log.wait { $0.contains { $0.contains("shared memory") || $0.contains("stays on the socket") } }
                    #expect(said.contains { $0.contains("the connection stays on the socket: resourceExhausted") }, "\(said)")
                    #expect(client.transport == .socket)
                    let again = try await client.call("echo", payload: [8])
                    #expect(again.bytes == [8])
                }
                gn_fault_clear()
                log.change { $0 = [] }
                try await Client.connect(to: endpoint, configuration: configuration) { client in
                    try await log.wait { $0.contains("the connection goes on through shared memory") }
                    let reply = try await client.call("echo", payload: [9])
                    #expect(reply.bytes == [9])
                }
            }
        }
        #expect(mappings == 0)
    }

    @Test func `a client with few descriptors left is served, through the socket when they do not suffice`() async throws {
        let directory = try ScratchDirectory()
        let peer = try TestPeer(["serve", "--endpoint", directory.file("s"), "--transports", "socket,sharedMemory"])
        let endpoint = Endpoint.path(directory.file("s"))
        try await withLoop { loop in
            _ = try await Connector.wait(for: endpoint, timeout: .seconds(60), interval: .milliseconds(1))
            let limit = System.descriptors.limit
            var transports: [Transport] = []
            for free in 1...6 {
                var hoard: [FileHandle] = []
                try System.setDescriptorLimit(System.descriptors.open + 20)
                while let file = FileHandle(forReadingAtPath: "/dev/null") { hoard.append(file) }
                for _ in 0..<free { try hoard.removeLast().close() }
                let told = Handover<Void>()
                var configuration = ClientConfiguration.defaults
                configuration.loop = .shared(loop)
                configuration.log = Log(level: .info) { _, message, _ in if message.contains("shared memory") || message.contains("stays on the socket") { told.give() } }
                let transport = try await Client.connect(to: endpoint, configuration: configuration) { client in
                    try await told.value
                    let reply = try await client.call("echo", payload: [7])
                    #expect(reply.bytes == [7])
                    return client.transport
                }
                if let transport { transports.append(transport) }
                for file in hoard { try file.close() }
                try System.setDescriptorLimit(limit)
            }
            #expect(transports.count == 6 && transports.first == .socket && transports.last == .sharedMemory, "\(transports)")
        }
        withExtendedLifetime(peer) {}
    }

    // MARK: What is left

    @Test func `a hundred times a hundred streams leave no descriptor, no mapping and no memory`() async throws {
        let directory = try ScratchDirectory()
        let endpoint = Endpoint.path(directory.file("s"))
        var options = SharedMemoryStreamOptions.defaults
        options.sharedMemory.ringBytes = 4096
        try await withLoop { [options] loop in
            let listener = try await SharedMemoryListener.bind(endpoint, options: options, on: loop)
            try System.setDescriptorLimit(4096)
            var first: (descriptors: Int, resident: Int)?
            for cycle in 0..<100 {
                try await useHundredStreams(listener, endpoint, options, loop, firstToClose: cycle % 2)
                // What the loop has in hand goes with its turn.
                for _ in 0..<3 { try await loop.run {} }
                #expect(mappings == 0)
                // What the first cycles bring about once is not what each leaves.
                if cycle == 20 { first = (System.descriptors.open, resident) }
            }
            let begin = try #require(first)
            #expect(System.descriptors.open == begin.descriptors)
            #expect(ts_is_sanitized() || resident - begin.resident < 4 << 20, "\(resident - begin.resident) bytes more than after 20 cycles")
            await listener.close()
        }
    }

    private func useHundredStreams(
        _ listener: SharedMemoryListener, _ endpoint: Endpoint, _ options: SharedMemoryStreamOptions, _ loop: EventLoop, firstToClose: Int
    ) async throws {
        var messages = SeededMessages(seed: 21, lengths: 0...2_000)
        var streams: [SharedMemoryStream] = []
        for _ in 0..<100 {
            async let accepted = listener.accept()
            let client = try await SharedMemoryStream.connect(to: endpoint, options: options, on: loop)
            let service = try await accepted
            let message = messages.next()
            try await client.send(message)
            let there = try await service.receive()
            #expect(there == message)
            streams += [client, service]
        }
        #expect(mappings == 200)
        for (index, stream) in streams.enumerated() where index % 2 == firstToClose { await stream.close() }
        for stream in streams { await stream.close() }
    }

    @Test func `10,000 messages keep their order and come in time while 64 other streams are busy`() async throws {
        let directory = try ScratchDirectory()
        let endpoint = Endpoint.path(directory.file("s"))
        try await withLoop { loop in
            let listener = try await SharedMemoryListener.bind(endpoint, on: loop)
            let done = Watched(false)
            try await withThrowingTaskGroup { group in
                for seed: UInt64 in 0..<64 {
                    async let accepted = listener.accept()
                    let (client, service) = (try await SharedMemoryStream.connect(to: endpoint, on: loop), try await accepted)
                    group.addTask { try await Self.keepBusy(client, service, seed, done) }
                }
                // On a thread of their own, as a program has it that cares for latency: the others leave the shared ones no rest.
                let times = try await EventLoop.run { loop in
                    async let accepted = listener.accept()
                    let (client, service) = (try await SharedMemoryStream.connect(to: endpoint, on: loop), try await accepted)
                    return try await Self.timeRoundTrips(client, service, count: 10_000)
                }
                print("a round trip beside 64 busy streams: median \(times[5_000]), 99th percentile \(times[9_900]), longest \(times[9_999])")
                done.change { $0 = true }
                try await group.waitForAll()
            }
            await listener.close()
        }
    }

    private static func keepBusy(_ client: SharedMemoryStream, _ service: SharedMemoryStream, _ seed: UInt64, _ done: Watched<Bool>) async throws {
        var messages = SeededMessages(seed: seed, lengths: 0...500)
        while !done.value {
            let message = messages.next()
            try await client.send(message, within: .seconds(60))
            let there = try await service.receive(within: .seconds(60))
            try #require(there == message)
            await Task.yield()
        }
        await client.close()
        await service.close()
    }

    /// How long each took, in ascending order.
    private static func timeRoundTrips(_ client: SharedMemoryStream, _ service: SharedMemoryStream, count: Int) async throws -> [Duration] {
        async let echoing: Void = { while let message = try await service.receive() { try await service.send(message) } }()
        var times: [Duration] = []
        var messages = SeededMessages(seed: 64, lengths: 0...64)
        for _ in 0..<count {
            let message = messages.next()
            let began = ContinuousClock.now
            try await client.send(message, within: .seconds(60))
            let back = try await client.receive(within: .seconds(60))
            times.append(ContinuousClock.now - began)
            try #require(back == message)
        }
        await client.close()
        try await echoing
        await service.close()
        return times.sorted()
    }

    // MARK: Harness

    /// Runs a service that offers shared memory while `body` runs.
    private func withService(_ path: String, _ log: Watched<[String]>, _ body: (Endpoint) async throws -> Void) async throws {
        let listening = Handover<Void>()
        var configuration = ServiceConfiguration.defaults
        configuration.log = Log(level: .info) { _, message, _ in
            if message.contains("listening") { listening.give() }
            log.change { $0.append(message) }
        }
        let service = Service(at: .path(path), transports: [.socket, .sharedMemory], configuration: configuration)
        service.handle("echo") { bytes, _ in bytes.copied() }
        async let running: Void = service.run()
        try await listening.value
        try await body(.path(path))
        service.beginGracefulShutdown()
        try await running
    }

    /// Mappings of segments in this process.
    private var mappings: Int {
        let maps = (try? FileHandle(forReadingAtPath: "/proc/self/maps")?.readToEnd()).map { String(decoding: $0, as: UTF8.self) } ?? ""
        return maps.split(separator: "\n").count { $0.contains("/memfd:ginnel") }
    }

    /// Bytes of memory that this process has in use.
    private var resident: Int {
        let status = (try? FileHandle(forReadingAtPath: "/proc/self/status")?.readToEnd()).map { String(decoding: $0, as: UTF8.self) } ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
        return line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) }.map { $0 * 1024 } ?? 0
    }
}
