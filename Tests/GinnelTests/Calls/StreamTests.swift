// Items in both directions: the pace of the reader is the pace of the producer, and letting go ends the work.

import Ginnel
import GinnelTransport
import Testing

/// A stream of items of a kilobyte.
struct Blocks: StreamRequest {
    typealias Item = [UInt8]
    static let method = "blocks"
    var count: Int
}

struct Keep: UploadRequest {
    typealias Upload = [UInt8]
    typealias Response = Sum
    static let method = "keep"
}

struct Answering: ExchangeRequest {
    typealias Upload = Sum
    typealias Item = Sum
    static let method = "answering"
}

@Suite(.serialized, .ownThread, .timeLimit(.minutes(5))) struct StreamTests {
    static let block = [UInt8](repeating: 1, count: 1024)
    /// Items of a block and their overhead that fit into a window of eight, and one below zero.
    static let window = 8 * 1040
    static let most = 9

    @Test(arguments: [HandlerExecutor.loop, .concurrent]) func `a producer waits for its reader`(executor: HandlerExecutor) async throws {
        let sent = Recorded<Void>()
        try await withRunning {
            $0.handle(Blocks.self, on: executor) { request, _, writer in
                for _ in 0..<request.count {
                    try await writer.send(Self.block)
                    sent.signal()
                }
            }
        } _: { running in
            var configuration = ClientConfiguration.defaults
            configuration.limits.announced.itemWindow = Self.window
            try await running.connect(configuration) { client in
                let items = try await client.open(Blocks(count: 200))
                var iterator = items.makeAsyncIterator()
                for read in 0..<200 {
                    if read % 20 == 0 {
                        // As far as the producer will get, and not one further: it has had the time of a call on the same connection to do so.
                        try await sent.wait { $0.count >= min(200, read + 4) }
                        _ = try await client.call("echo_async", payload: [])
                        #expect(sent.count <= read + Self.most)
                    }
                    #expect(try await iterator.next() == Self.block)
                }
                #expect(try await iterator.next() == nil)
                #expect(sent.count == 200)
            }
        }
    }

    @Test func `a caller that uploads waits for the handler`() async throws {
        let taken = Recorded<Void>()
        let goOn = Recorded<Void>()
        var configuration = ServiceConfiguration.defaults
        configuration.limits.announced.itemWindow = Self.window
        try await withRunning(configuration) {
            $0.handle(Keep.self) { _, _, items in
                try await goOn.wait()
                var count = 0
                for try await item in items { count += item.count }
                return Sum(value: count)
            }
        } _: { running in
            try await running.connect { client in
                let blocks = Source(count: 100) { taken.signal() }
                async let reply = client.upload(Keep(), items: blocks)
                try await taken.wait(for: 8)
                _ = try await client.call("echo_async", payload: [])
                #expect(taken.count <= Self.most + 1)
                goOn.signal()
                #expect(try await reply == Sum(value: 100 * 1024))
            }
        }
    }

    /// Blocks, each told of as it is taken.
    struct Source: AsyncSequence, Sendable {
        var count: Int
        var told: @Sendable () -> Void

        func makeAsyncIterator() -> Iterator { Iterator(left: count, told: told) }

        struct Iterator: AsyncIteratorProtocol {
            var left: Int
            var told: @Sendable () -> Void

            mutating func next() async throws -> [UInt8]? {
                guard left > 0 else { return nil }
                left -= 1
                told()
                return StreamTests.block
            }
        }
    }

    @Test func `dropping a stream cancels the handler`() async throws {
        let begun = Recorded<Void>()
        let cancelled = Recorded<Void>()
        try await withRunning {
            $0.handle(Blocks.self) { _, _, writer in
                begun.signal()
                try await writer.send(Self.block)
                await DeadlineTests.waitForCancellation()
                cancelled.signal()
            }
        } _: { running in
            try await running.connect { client in
                for try await item in try await client.open(Blocks(count: 1)) {
                    #expect(item == Self.block)
                    break
                }
                try await cancelled.wait()
                // Without having looked at it at all.
                var items: IncomingItems<[UInt8]>? = try await client.open(Blocks(count: 1))
                try await begun.wait(for: 2)
                items = nil
                _ = items
                try await cancelled.wait(for: 2)
            }
        }
    }

    @Test func `a producer whose reader has gone is told so`() async throws {
        let ends = Recorded<FailureCode>()
        try await withRunning {
            $0.handle(Blocks.self) { _, _, writer in
                do {
                    while true { try await writer.send(Self.block) }
                } catch let error as CallError {
                    ends.append(error.code)
                    throw error
                }
            }
        } _: { running in
            try await running.connect { client in
                for try await _ in try await client.open(Blocks(count: 0)) { break }
                try await ends.wait { $0 == [.cancelled] }
            }
        }
    }

    @Test func `a stream that fails delivers what came before, and then its error`() async throws {
        try await withRunning {
            $0.handle(Blocks.self) { request, _, writer in
                for _ in 0..<request.count { try await writer.send(Self.block) }
                throw CallError(FailureCode(rawValue: 1234), "the disk is full", details: [9])
            }
        } _: { running in
            try await running.connect { client in
                var count = 0
                let caught = try await errorOf(CallError.self) {
                    for try await _ in try await client.open(Blocks(count: 50)) { count += 1 }
                }
                #expect(count == 50)
                #expect(caught == CallError(FailureCode(rawValue: 1234), "the disk is full", details: [9]))
            }
        }
    }

    @Test func `a handler that answers before the end of an upload ends it`() async throws {
        try await withRunning {
            $0.handle(Keep.self) { _, _, items in
                for try await item in items { return Sum(value: item.count) }
                return Sum(value: 0)
            }
        } _: { running in
            try await running.connect { client in
                let endless = Source(count: .max) {}
                let reply = try await client.upload(Keep(), items: endless)
                #expect(reply == Sum(value: 1024))
                try await client.checkIsServed()
            }
        }
    }

    @Test func `an upload without items that has to wait for its turn ends all the same`() async throws {
        let (begun, goOn) = (Recorded<Void>(), Recorded<Void>())
        var configuration = ServiceConfiguration.defaults
        configuration.limits.announced.callsInFlight = 1
        try await withRunning(configuration) {
            $0.handle("hold") { bytes, _ in
                begun.signal()
                try await goOn.wait()
                return bytes
            }
        } _: { running in
            try await running.connect { client in
                let held = Task { try await client.call("hold", payload: []) }
                try await begun.wait()
                let upload = Task { try await client.upload(Total(), items: AsyncStream<Sum> { $0.finish() }) }
                // As far as it gets while the other call has the only place.
                for _ in 0..<20 { _ = try await client.ping() }
                goOn.signal()
                _ = try await held.value
                #expect(try await upload.value == Sum(value: 0))
            }
        }
    }

    @Test func `an upload whose items end with an error is cancelled on both sides`() async throws {
        struct NoMore: Error {}
        let seen = Recorded<FailureCode>()
        try await withRunning {
            $0.handle(Keep.self) { _, _, items in
                do {
                    for try await _ in items {}
                } catch let error as CallError {
                    seen.append(error.code)
                }
                return Sum(value: 0)
            }
        } _: { running in
            try await running.connect { client in
                let items = AsyncThrowingStream<[UInt8], any Error> { continuation in
                    continuation.yield([1])
                    continuation.finish(throwing: NoMore())
                }
                let caught = try await errorOf(CallError.self) { _ = try await client.upload(Keep(), items: items) }
                #expect(caught.code == .cancelled)
                try await seen.wait { $0 == [.cancelled] }
            }
        }
    }

    @Test func `an upload that is cancelled does not look complete to its handler`() async throws {
        let begun = Recorded<Void>()
        let ends = Recorded<FailureCode?>()
        try await withRunning {
            $0.handle(Keep.self) { _, _, items in
                do {
                    for try await _ in items { begun.signal() }
                    ends.append(nil)
                } catch let error as CallError {
                    ends.append(error.code)
                }
                return Sum(value: 0)
            }
        } _: { running in
            try await running.connect { client in
                for round in 1...20 {
                    let upload = Task {
                        // Ends without an error when its task is cancelled.
                        let items = AsyncStream { $0.yield(Self.block) }
                        return try await client.upload(Keep(), items: items)
                    }
                    try await begun.wait(for: round)
                    upload.cancel()
                    let caught = try await errorOf(CallError.self) { _ = try await upload.value }
                    #expect(caught.code == .cancelled)
                    try await ends.wait { $0.count == round }
                }
                #expect(ends.all.allSatisfy { $0 == .cancelled })
            }
        }
    }

    @Test func `both sides of an exchange go at the pace of the slower`() async throws {
        try await withRunning {
            $0.handle(Answering.self) { _, _, items, writer in
                for try await item in items { try await writer.send(Sum(value: item.value + 1)) }
            }
        } _: { running in
            try await running.connect { client in
                let numbers = AsyncStream { continuation in
                    for number in 0..<5000 { continuation.yield(Sum(value: number)) }
                    continuation.finish()
                }
                let sum = try await client.exchange(Answering(), sending: numbers) { items in
                    var sum = 0
                    for try await item in items { sum += item.value }
                    return sum
                }
                #expect(sum == 5000 * 5001 / 2)
            }
        }
    }

    @Test func `an exchange that is left cancels the handler`() async throws {
        let cancelled = Recorded<Void>()
        try await withRunning {
            $0.handle(Answering.self) { _, _, items, writer in
                try await writer.send(Sum(value: 1))
                do { for try await _ in items {} } catch { cancelled.signal() }
            }
        } _: { running in
            try await running.connect { client in
                let nothing = AsyncStream<Sum> { _ in }
                let first = try await client.exchange(Answering(), sending: nothing) { items in
                    for try await item in items { return item.value }
                    return 0
                }
                #expect(first == 1)
                try await cancelled.wait()
            }
        }
    }

    @Test func `many tasks may send the items of one stream`() async throws {
        try await withRunning {
            $0.handle(Blocks.self) { request, _, writer in
                try await withThrowingTaskGroup { group in
                    for _ in 0..<request.count { group.addTask { try await writer.send(Self.block) } }
                    try await group.waitForAll()
                }
            }
        } _: { running in
            var configuration = ClientConfiguration.defaults
            configuration.limits.announced.itemWindow = Self.window
            try await running.connect(configuration) { client in
                var count = 0
                for try await _ in try await client.open(Blocks(count: 100)) { count += 1 }
                #expect(count == 100)
            }
        }
    }

    @Test func `a call of a method that streams gets its answer although nobody reads the items`() async throws {
        try await withRunning {
            $0.handle(Blocks.self) { request, _, writer in
                for _ in 0..<request.count { try await writer.send(Self.block) }
            }
        } _: { running in
            var configuration = ClientConfiguration.defaults
            configuration.limits.announced.itemWindow = Self.window
            try await running.connect(configuration) { client in
                let reply = try await client.call("blocks", codec: .json, payload: Array(#"{"count":100}"#.utf8))
                #expect(reply.bytes.isEmpty)
            }
        }
    }

    @Test func `a stream of a method with one answer is empty`() async throws {
        struct AddAsStream: StreamRequest {
            typealias Item = Sum
            static let method = "add"
            var left = 1
            var right = 1
        }
        try await withRunning { running in
            try await running.connect { client in
                for try await item in try await client.open(AddAsStream()) { Issue.record("\(item)") }
            }
        }
    }

    @Test func `an item that does not decode ends the stream for its reader`() async throws {
        struct Confused: StreamRequest {
            typealias Item = Sum
            static let method = "blocks"
            var count = 1
        }
        try await withRunning {
            $0.handle(Blocks.self) { _, _, writer in try await writer.send(Self.block) }
        } _: { running in
            try await running.connect { client in
                let caught = try await errorOf(CallError.self) { for try await _ in try await client.open(Confused()) {} }
                #expect(caught.code == .invalidReply)
            }
        }
    }
}
