// Messages that are held back for others: until there are enough of them, or enough bytes, or the time is over, on both sides of each limit.

import GinnelCore
import GinnelTesting
import Testing

@testable import GinnelTransport

@Suite(.timeLimit(.minutes(5))) struct DriverBatchingTests {
    private func service(on loop: EventLoop, _ channel: ScriptedChannel = ScriptedChannel(), _ change: (inout Batching) -> Void) async throws -> ScriptedService {
        let service = try await ScriptedService(on: loop, channel)
        var batching = Batching()
        batching.delay = .seconds(60)
        change(&batching)
        service.end.driver.batching = batching
        return service
    }

    private static func events(in bytes: [UInt8], of service: ScriptedService) -> [String] {
        var peer = service.peer
        peer.receive(bytes)
        return peer.actions.compactMap { if case .event(let name, _, _, _) = $0 { name } else { nil } }
    }

    @Test(arguments: [true, false]) func `with one message less than the limit nothing leaves, and with the last one all do, in one write`(onLoop: Bool) async throws {
        try await withLoop { loop in
            let service = try await service(on: loop) { $0.messages = 5 }
            for number in 1...4 { try await send("\(number)", service, onLoop, loop) }
            #expect(service.channel.script.value.writeCount == 0)
            try await send("5", service, onLoop, loop)
            try await service.channel.script.wait { !$0.taken.isEmpty }
            let script = service.channel.script.value
            #expect(script.writeCount == 1 && Self.events(in: script.taken, of: service) == ["1", "2", "3", "4", "5"])
        }
    }

    private func send(_ name: String, _ service: ScriptedService, _ onLoop: Bool, _ loop: EventLoop) async throws {
        if onLoop { _ = try await loop.run { service.end.event(name) } } else { service.end.event(name) }
        // The end of a turn, where writing waits for it.
        try await loop.run {}
        try await loop.run {}
    }

    @Test func `many bytes leave before there are many messages`() async throws {
        try await withLoop { loop in
            let service = try await service(on: loop) {
                $0.messages = 1000
                $0.bytes = 1000
            }
            service.end.event("small", [UInt8](repeating: 1, count: 500))
            #expect(service.channel.script.value.writeCount == 0)
            service.end.event("large", [UInt8](repeating: 1, count: 500))
            #expect(service.channel.script.value.writeCount == 1)
        }
    }

    @Test func `one message alone leaves when its time is over`() async throws {
        try await withLoop { loop in
            let service = try await service(on: loop) { $0.delay = .milliseconds(20) }
            let began = Moment.now.awake
            service.end.event("alone")
            #expect(service.channel.script.value.writeCount == 0 || Moment.now.awake >= began.adding(20_000_000))
            try await service.channel.script.wait { !$0.taken.isEmpty }
            #expect(Moment.now.awake >= began.adding(20_000_000))
        }
    }

    @Test(arguments: [0, 1]) func `without a delay, or with batches of one, nothing is held back`(messages: Int) async throws {
        try await withLoop { loop in
            let service = try await service(on: loop) {
                if messages == 0 { $0.delay = .zero } else { $0.messages = messages }
            }
            service.end.event("at once")
            #expect(service.channel.script.value.writeCount == 1)
        }
    }

    @Test func `what the connection says for itself goes at once, and takes along what waits`() async throws {
        try await withLoop { loop in
            let service = try await service(on: loop) { _ in }
            service.end.event("held")
            #expect(service.channel.script.value.writeCount == 0)
            service.end.driver.submit(.ping(7))
            let script = service.channel.script.value
            #expect(script.writeCount == 1 && Self.events(in: script.taken, of: service) == ["held"])
        }
    }

    @Test func `the end of the connection waits for nothing`() async throws {
        try await withLoop { loop in
            let service = try await service(on: loop) { _ in }
            service.end.event("held")
            service.end.driver.submit(.farewell(Failure(.finished, "")))
            try await service.channel.script.wait { $0.hasEnded }
            #expect(Self.events(in: service.channel.script.value.taken, of: service) == ["held"])
        }
    }

    @Test func `who waits for room holds nothing up`() async throws {
        try await withLoop { loop in
            let service = try await service(on: loop) { _ in }
            service.end.event("held")
            #expect(service.channel.script.value.writeCount == 0)
            await service.end.driver.waitForRoom()
            #expect(service.channel.script.value.writeCount == 1)
        }
    }

    @Test func `messages over writes is what the traffic says`() async throws {
        try await withLoop { loop in
            let service = try await service(on: loop) { $0.messages = 10 }
            let before = service.end.driver.traffic.reading
            for _ in 0..<100 { service.end.event("e") }
            let after = service.end.driver.traffic.reading
            #expect(after.messagesWritten - before.messagesWritten == 100 && after.writes - before.writes == 10)
        }
    }
}
