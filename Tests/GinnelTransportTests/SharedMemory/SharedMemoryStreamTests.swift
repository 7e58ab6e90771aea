// Streams over shared memory, from the endpoint to the end.

import GinnelCore
import GinnelTesting
import GinnelTransport
import Testing

@Suite(.serialized, .timeLimit(.minutes(5))) struct SharedMemoryStreamTests {
    @Test func `messages pass whole, in order and both ways, whatever their length`() async throws {
        try await withStreams { client, service in
            for count in [0, 1, 3, 4, 5, 1_000, client.maximumMessage] {
                let message = ChannelEnd.pattern(count, seed: UInt64(count))
                try await client.send(message)
                let there = try await service.receive()
                #expect(there == message)
                try await service.send(message)
                let back = try await client.receive()
                #expect(back == message)
            }
        }
    }

    @Test func `a sender waits for room and nothing is lost`() async throws {
        var options = SharedMemoryStreamOptions.defaults
        options.sharedMemory.ringBytes = 4096
        try await withStreams(options) { client, service in
            let count = 5_000
            async let sending: Void = { for number in 0..<count { try await client.send(ChannelEnd.pattern(number % 2_000, seed: UInt64(number))) } }()
            for number in 0..<count {
                let message = try await service.receive()
                try #require(message == ChannelEnd.pattern(number % 2_000, seed: UInt64(number)))
            }
            try await sending
        }
    }

    @Test func `a message over the limit is refused with the limit, and the stream goes on`() async throws {
        try await withStreams { client, service in
            let error = await #expect(throws: GinnelError.self) { try await client.send([UInt8](repeating: 0, count: client.maximumMessage + 1)) }
            #expect(error?.code == .invalid)
            #expect(error?.sentence.contains("\(client.maximumMessage)") == true)
            try await client.send([1])
            let message = try await service.receive()
            #expect(message == [1])
        }
    }

    @Test(arguments: [false, true]) func `a message can be written and read in place`(trusted: Bool) async throws {
        var options = SharedMemoryStreamOptions.defaults
        options.trustedPeer = trusted
        try await withStreams(options) { client, service in
            try await client.reserve(100) { span in
                for byte in UInt8(0)..<60 { span.append(byte) }
            }
            try await client.send([9])
            let sum = try await service.withNextMessage { span in
                #expect(span.byteCount == 60)
                return (0..<span.byteCount).reduce(0) { $0 + Int(span.byte(at: $1)) }
            }
            #expect(sum == 60 * 59 / 2)
            let next = try await service.receive()
            #expect(next == [9])
        }
    }

    @Test func `what throws while it writes in place sends nothing`() async throws {
        struct Stop: Error {}
        try await withStreams { client, service in
            await #expect(throws: Stop.self) { try await client.reserve(100) { _ in throw Stop() } }
            try await client.send([7])
            let message = try await service.receive()
            #expect(message == [7])
        }
    }

    @Test func `a full ring lets a sender go at its deadline`() async throws {
        try await withStreams { client, _ in
            let message = [UInt8](repeating: 1, count: client.maximumMessage)
            let error = await #expect(throws: GinnelError.self) {
                while true { try await client.send(message, within: .milliseconds(20)) }
            }
            #expect(error?.code == .timedOut)
        }
    }

    @Test func `a receiver is let go at its deadline, and later messages are not lost`() async throws {
        try await withStreams { client, service in
            let error = await #expect(throws: GinnelError.self) { try await service.receive(within: .milliseconds(20)) }
            #expect(error?.code == .timedOut)
            try await client.send([1])
            let message = try await service.receive()
            #expect(message == [1])
        }
    }

    @Test func `what was sent before the close is received, and then the end`() async throws {
        try await withStreams { client, service in
            for byte in UInt8(0)..<100 { try await client.send([byte]) }
            await client.close()
            for byte in UInt8(0)..<100 {
                let message = try await service.receive()
                #expect(message == [byte])
            }
            let end = try await service.receive()
            #expect(end == nil)
            let error = await #expect(throws: GinnelError.self) { while true { try await service.send([1]) } }
            #expect(error?.code == .closed)
        }
    }

    @Test func `a receiver that waits is let go when its side closes, and when its task is cancelled`() async throws {
        try await withStreams { client, service in
            let receiving = Task { try await service.receive() }
            receiving.cancel()
            await #expect(throws: CancellationError.self) { try await receiving.value }
            let waiting = Task { try await client.receive() }
            await client.close()
            let error = await #expect(throws: GinnelError.self) { try await waiting.value }
            #expect(error?.code == .closed)
        }
    }

    @Test func `a peer that the policy refuses gets no stream`() async throws {
        try await EventLoop.run { loop in
            let directory = try ScratchDirectory()
            let refused = Handover<GinnelError>()
            let listener = try await SharedMemoryListener.bind(.path(directory.file("s")), policy: .users([4_000_000]), on: loop) { refused.give($0) }
            await #expect(throws: GinnelError.self) { try await SharedMemoryStream.connect(to: .path(directory.file("s")), on: loop) }
            let error = try await refused.value
            #expect(error.code == .refused)
            await listener.close()
        }
    }

    /// Alone in its process, since it counts descriptors.
    @Test(.isolated) func `a thousand streams are opened, used and closed, 32 at a time`() async throws {
        var options = SharedMemoryStreamOptions.defaults
        options.sharedMemory.ringBytes = 4096
        try await EventLoop.run { [options] loop in
            let directory = try ScratchDirectory()
            let endpoint = Endpoint.path(directory.file("s"))
            let listener = try await SharedMemoryListener.bind(endpoint, options: options, on: loop)
            try await withThrowingTaskGroup { group in
                for _ in 0..<32 {
                    group.addTask {
                        for _ in 0..<32 {
                            let stream = try await SharedMemoryStream.connect(to: endpoint, options: options, on: loop)
                            try await stream.send([1, 2, 3])
                            let reply = try await stream.receive()
                            #expect(reply == [1, 2, 3])
                            await stream.close()
                        }
                    }
                    group.addTask {
                        for _ in 0..<32 {
                            let stream = try await listener.accept()
                            while let message = try await stream.receive() { try await stream.send(message) }
                            await stream.close()
                        }
                    }
                }
                try await group.waitForAll()
            }
            await listener.close()
        }
    }
}
