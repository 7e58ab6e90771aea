// Invariants 4 and 6: reading goes on whatever becomes of writing, and stops only while the machine wants no input.

import GinnelCore
import GinnelTesting
import GinnelTransport
import Testing

@Suite(.timeLimit(.minutes(5))) struct DriverReadingTests {
    @Test func `reading goes on while writing is blocked, and what waited leaves when there is room`() async throws {
        try await withLoop { loop in
            var service = try await ScriptedService(on: loop)
            service.channel.setRoom(0)
            var calls: [RecordedCall] = []
            for number in 0..<50 {
                calls.append(service.call([UInt8(number)]))
                try await service.end.record.wait { $0.requests.count == number + 1 }
            }
            try await loop.run {}
            #expect(service.channel.script.value.writeCount == 1, "a full channel is not tried again before its event")
            service.channel.setRoom(.max)
            try await service.channel.script.wait { WireFrame.all(in: $0.taken).count == 50 }
            service.listen()
            for (number, call) in calls.enumerated() { #expect(call.reply == [UInt8(number)]) }
        }
    }

    @Test func `a channel that takes little at a time gets everything in the end`() async throws {
        try await withLoop { loop in
            var service = try await ScriptedService(on: loop)
            let payload = ChannelEnd.pattern(40_000)
            service.channel.setRoom(0)
            let call = service.call(payload)
            try await service.end.record.wait { $0.requests.count == 1 }
            while service.channel.script.value.taken.count < payload.count + 16 {
                let before = service.channel.script.value.taken.count
                service.channel.setRoom(997)
                try await service.channel.script.wait { $0.taken.count > before && ($0.room == 0 || $0.taken.count >= payload.count + 16) }
            }
            service.listen()
            #expect(call.reply == payload)
        }
    }

    @Test(arguments: [true, false]) func `a broken write does not lose what the peer said before`(writesOnLoop: Bool) async throws {
        try await withLoop { loop in
            var service = try await ScriptedService(on: loop)
            let end = service.end
            let channel = service.channel
            for number in 0..<3 { service.peer.call("echo", [UInt8(number)]) }
            let said = service.peer.takeAll()
            channel.failWrites()
            // The loop reads in the turn after the one in which it finds that it cannot write.
            let held = try await HeldLoop(loop)
            if !writesOnLoop { end.event("lost") }
            loop.post {
                if writesOnLoop { end.event("lost") }
                channel.say(said)
                channel.end()
            }
            held.release()
            let ending = try await end.ending
            #expect(end.record.value.requests.map(\.payload) == [[0], [1], [2]])
            #expect(ending.by != .us)
            #expect(end.record.value.endings.count == 1)
            #expect(service.channel.script.value.writeCount == 1, "nothing more is offered to a channel that is broken")
        }
    }

    @Test func `a connection that breaks delivers what came before`() async throws {
        try await withLoop { loop in
            var service = try await ScriptedService(on: loop)
            let held = try await HeldLoop(loop)
            _ = service.call([1])
            service.channel.end(.failed(SystemError(operation: "read", sentence: "reset")))
            held.release()
            let ending = try await service.end.ending
            #expect(service.end.record.value.requests.count == 1)
            #expect(ending.by == .nobody && ending.failure.code == .connectionLost)
            #expect(service.channel.script.value.calls.last == .abort)
        }
    }

    @Test func `one busy connection leaves its neighbours their turns`() async throws {
        try await withLoop { loop in
            let roomy = NativeConfiguration.plain { $0.limits.eventBytes = 64 << 20 }
            let busy = try await ScriptedService(on: loop, configuration: roomy)
            var other = try await ScriptedService(on: loop)
            var peer = busy.peer
            for _ in 0..<64 { peer.submit(.event(name: "e", codec: .raw, payload: [UInt8](repeating: 7, count: 128 << 10), lane: .normal)) }
            let flood = peer.takeAll()
            #expect(flood.count > 8 << 20)

            let held = try await HeldLoop(loop)
            busy.channel.say(flood)
            let call = other.call([1])
            let left = Handover<Int>()
            // In the same turn, after both have heard that there is something to read.
            loop.post { left.give(busy.channel.script.value.incoming.count) }
            held.release()
            let unread = try await left.value
            #expect(unread > 4 << 20)
            try await other.channel.script.wait { !$0.taken.isEmpty }
            other.listen()
            #expect(call.reply == [1])
            try await busy.channel.script.wait { $0.incoming.isEmpty }
        }
    }

    // MARK: Machines that pause

    private static let json = #"{"type":"get"}"#

    @Test func `a machine that wants no input is given none, and reading resumes with the reply`() async throws {
        try await withLoop { loop in
            let channel = ScriptedChannel()
            let end = try await DriverEnd.open(channel, OrderedSession(role: .service, TaggedJSONConfiguration()), role: .service, on: loop) { _, _ in }
            channel.say(tagged(Self.json))
            try await end.record.wait { $0.requests.count == 1 }
            channel.say(tagged(Self.json) + tagged(Self.json))
            try await loop.run {}
            let reads = channel.script.value.readCount
            channel.say(tagged(Self.json))
            for _ in 0..<10 { try await loop.run {} }
            #expect(channel.script.value.readCount == reads)
            #expect(!channel.script.value.incoming.isEmpty)
            #expect(end.record.value.requests.count == 1)

            for number in 1...4 {
                let request = try await end.record.wait { $0.requests.count == number }.requests[number - 1]
                end.driver.submit(.reply(call: request.call, codec: .json, payload: Array(#"{"type":"\#(number)"}"#.utf8)))
            }
            let replies = (1...4).flatMap { tagged(#"{"type":"\#($0)"}"#) }
            try await channel.script.wait { $0.taken == replies }
        }
    }

    @Test(arguments: [true, false]) func `requests that were sent ahead are answered one after the other`(onLoop: Bool) async throws {
        try await withLoop { loop in
            let channel = ScriptedChannel()
            let end = try await DriverEnd.open(channel, OrderedSession(role: .service, TaggedJSONConfiguration()), role: .service, on: loop) { request, driver in
                let reply = Command.reply(call: request.call, codec: .json, payload: Array(#"{"type":"done"}"#.utf8))
                if onLoop { driver.submit(reply) } else { Task.detached { driver.submit(reply) } }
            }
            let count = 1000
            channel.say((0..<count).flatMap { _ in tagged(Self.json) })
            let expected = (0..<count).flatMap { _ in tagged(#"{"type":"done"}"#) }
            try await channel.script.wait { $0.taken.count >= expected.count }
            #expect(channel.script.value.taken == expected)
            #expect(end.record.value.requests.count == count)
        }
    }

    @Test func `the end of a peer whose request is being answered is noticed after the reply`() async throws {
        try await withLoop { loop in
            let channel = ScriptedChannel()
            let end = try await DriverEnd.open(channel, OrderedSession(role: .service, TaggedJSONConfiguration()), role: .service, on: loop) { _, _ in }
            channel.say(tagged(Self.json))
            channel.end()
            let request = try await end.record.wait { $0.requests.count == 1 }.requests[0]
            end.driver.submit(.reply(call: request.call, codec: .json, payload: Array(Self.json.utf8)))
            _ = try await end.ending
            #expect(channel.script.value.taken == tagged(Self.json))
        }
    }

    @Test func `a peer that is gone while its request is being answered is noticed at once`() async throws {
        try await withLoop { loop in
            let channel = ScriptedChannel()
            let end = try await DriverEnd.open(channel, OrderedSession(role: .service, TaggedJSONConfiguration()), role: .service, on: loop) { _, _ in }
            channel.say(tagged(Self.json) + tagged(Self.json))
            try await end.record.wait { $0.requests.count == 1 }
            channel.end(gone: true)
            let ending = try await end.ending
            #expect(ending.by != .us)
            #expect(end.record.value.requests.count == 1, "what came behind is not begun")
        }
    }
}
