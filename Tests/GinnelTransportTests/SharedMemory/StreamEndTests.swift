// How streams over shared memory end: in order, without a word, with their loop, and in time.

import GinnelCore
import GinnelTesting
import Testing

@testable import GinnelTransport

@Suite(.serialized, .timeLimit(.minutes(5))) struct StreamEndTests {
    // MARK: The farewell

    @Test(arguments: [false, true]) func `a peer that was killed is told from one that has closed, once everything was received`(dies: Bool) async throws {
        try await EventLoop.run { loop in
            let directory = try ScratchDirectory()
            let listener = try await SharedMemoryListener.bind(.path(directory.file("s")), on: loop)
            let peer = try TestPeer(["stream", "--endpoint", directory.file("s"), "--count", "100"] + (dies ? ["--dies", "yes"] : []))
            let stream = try await listener.accept()
            for number in UInt8(0)..<100 {
                let message = try await stream.receive()
                #expect(message == [number])
            }
            if dies {
                for _ in 0..<2 {
                    let error = await #expect(throws: GinnelError.self) { try await stream.receive() }
                    #expect(error?.code == .closed && error?.sentence.contains("without a farewell") == true)
                }
            } else {
                let end = try await stream.receive()
                #expect(end == nil)
            }
            await stream.close()
            await listener.close()
            _ = try await peer.child.result()
        }
    }

    @Test func `a sender is told of a peer that ended without a farewell too`() async throws {
        try await withStreams(.small) { client, service in
            service.violated(RingViolation(sentence: "for a test"))
            let error = await #expect(throws: GinnelError.self) { while true { try await client.send([UInt8](repeating: 0, count: 1000)) } }
            #expect(error?.code == .closed && error?.sentence.contains("without a farewell") == true)
        }
    }

    @Test(
        arguments: [
            (true, Farewell.bytes, 1, true), (true, Farewell.bytes, 16, true), (false, Farewell.bytes, 16, false), (true, Farewell.bytes + [0], 17, false),
            (true, [5, 2], 2, false), (true, [0], 1, false), (true, Farewell.bytes + Farewell.bytes, 32, false),
        ] as [(Bool, [UInt8], Int, Bool)]) func `on the socket of a bare stream there is a farewell and nothing else`(
            isDue: Bool, bytes: [UInt8], step: Int, isTaken: Bool
        )
    {
        var farewell = Farewell()
        farewell.isDue = isDue
        var bytes = bytes
        let taken = bytes.withUnsafeMutableBytes { bytes in
            stride(from: 0, to: bytes.count, by: step).allSatisfy { farewell.take(bytes[$0..<min($0 + step, bytes.count)], bellsRing: false) }
        }
        #expect(taken == isTaken)
        #expect(!isTaken || farewell.isWhole)
    }

    @Test func `bells that ring through the socket may come before a farewell and after`() {
        var farewell = Farewell()
        farewell.isDue = true
        var bytes = [0, 0] + Farewell.bytes + [0]
        let isTaken = bytes.withUnsafeMutableBytes { farewell.take($0[...], bellsRing: true) }
        #expect(isTaken && farewell.isWhole)
    }

    // MARK: The loop's end

    /// What nobody holds any more when its loop has let it go.
    private struct Left: Sendable {
        weak let stream: SharedMemoryStream?
        weak let listener: SharedMemoryListener?
    }

    @Test func `a stream and a listener that are left open end with their loop, and whoever waits is let go`() async throws {
        let directory = try ScratchDirectory()
        let endpoint = Endpoint.path(directory.file("s"))
        let left = try await withLoop { clients in
            let (client, receiving, accepting, left) = try await EventLoop.run { loop in
                let listener = try await SharedMemoryListener.bind(endpoint, on: loop)
                async let accepted = listener.accept()
                let client = try await SharedMemoryStream.connect(to: endpoint, on: clients)
                let service = try await accepted
                try await service.send([1])
                return (client, Task { try await service.receive() }, Task { try await listener.accept() }, Left(stream: service, listener: listener))
            }
            let received = await errorOf { _ = try await receiving.value }
            #expect(received?.code == .closed)
            let accepted = await errorOf { _ = try await accepting.value }
            #expect(accepted?.code == .closed)
            let message = try await client.receive()
            #expect(message == [1])
            let end = try await client.receive()
            #expect(end == nil)
            await client.close()
            return left
        }
        #expect(left.stream == nil && left.listener == nil)
        // The name is free.
        try await EventLoop.run { loop in try await SharedMemoryListener.bind(endpoint, on: loop).close() }
    }

    @Test func `an opening that goes on when its loop stops ends`() async throws {
        let directory = try ScratchDirectory()
        try await withLoop { other in
            let listener = try await TestListener(.path(directory.file("s")), on: other)
            let connecting = try await EventLoop.run { loop in
                let connecting = Task { _ = try await SharedMemoryStream.connect(to: .path(directory.file("s")), on: loop) }
                try await listener.accepted.wait { !$0.isEmpty }
                return connecting
            }
            let error = await errorOf { try await connecting.value }
            #expect(error?.code == .notRunning)
            try await listener.close()
        }
    }

    private func errorOf(_ body: () async throws -> Void) async -> GinnelError? {
        do {
            try await body()
            return nil
        } catch {
            return error as? GinnelError
        }
    }

    // MARK: In time

    @Test func `a receiver and a sender that poll see their deadline, cancellation and the end`() async throws {
        var options = SharedMemoryStreamOptions.small
        options.polling = .seconds(3600)
        try await withStreams(options) { client, service in
            let receiver = await #expect(throws: GinnelError.self) { try await service.receive(within: .milliseconds(20)) }
            #expect(receiver?.code == .timedOut)
            let sender = await #expect(throws: GinnelError.self) { while true { try await client.send([UInt8](repeating: 0, count: 1000), within: .milliseconds(20)) } }
            #expect(sender?.code == .timedOut)
            let sending = Task { try await client.send([UInt8](repeating: 0, count: 1000)) }
            sending.cancel()
            await #expect(throws: CancellationError.self) { try await sending.value }
            let receiving = Task { try await client.receive() }
            await client.close()
            let closed = await #expect(throws: GinnelError.self) { try await receiving.value }
            #expect(closed?.code == .closed)
        }
    }

    @Test func `the memory of a long copy is not kept`() async throws {
        try await withStreams { client, service in
            for count in [100, client.maximumMessage] {
                try await client.send([UInt8](repeating: 1, count: count))
                let read = try await service.withNextMessage { $0.byteCount }
                #expect(read == count)
            }
            #expect(service.copy.capacity <= 64 * 1024)
        }
    }

    @Test func `a client expects a service of the system at a system's endpoint`() {
        #expect(Endpoint.system("s").defaultPolicy.description == "systemService")
        for endpoint in [Endpoint.named("s"), .path("/s"), .inProcess("s"), .inherited(3)] { #expect(endpoint.defaultPolicy.description == "sameUser") }
    }
}
