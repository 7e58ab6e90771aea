import GinnelCore
import Testing

private typealias Caller = TaggedJSONSide.Caller

@Suite struct TaggedJSONClientTests {
    private let ping = #"{"type":"ping"}"#
    private let pong = taggedFrame(#"{"type":"pong"}"#)

    private func client(
        timeouts: SessionTimeouts = .defaults, _ configure: (inout TaggedJSONConfiguration) -> Void = { _ in }
    ) -> TaggedJSONSide {
        var side = TaggedJSONSide(.client, timeouts: timeouts, configure)
        _ = side.taken()
        return side
    }

    @Test func `a request leaves as it is and its reply comes back as it is`() {
        var side = TaggedJSONSide(.client)
        #expect(side.taken() == ["established 65536 1"])
        side.call(Caller("A"), ping)
        #expect(side.session.machine.outputBytes == 19)
        #expect(side.output() == [0x0F, 0, 0, 0] + Array(ping.utf8))
        #expect(!side.session.machine.hasOutput)
        side.receive(pong)
        #expect(side.taken() == [#"replied A {"type":"pong"}"#])
    }

    @Test func `calls wait for each other and are answered in order`() {
        var side = client()
        let callers = ["A", "B", "C"].map(Caller.init)
        for (index, caller) in callers.enumerated() { side.call(caller, #"{"type":"x","n":\#(index)}"#) }
        for (index, name) in ["A", "B", "C"].enumerated() {
            #expect(side.output() == taggedFrame(#"{"type":"x","n":\#(index)}"#))
            #expect(side.output() == [])
            side.receive(taggedFrame(#"{"n":\#(index)}"#))
            #expect(side.taken() == [#"replied \#(name) {"n":\#(index)}"#])
        }
        #expect(callers.allSatisfy { $0.callNumber == 0 })
    }

    @Test func `however the bytes are cut, the outcomes are the same`() {
        let stream =
            taggedFrame(#"{"type":"event","n":1}"#) + pong + taggedFrame(#"{"type":"event"}"#)
            + taggedFrame(#"{"message":"no","type":"error"}"#) + pong
        func run(_ pieces: [ArraySlice<UInt8>]) -> [String] {
            var side = client { $0.pushTypes = ["event"] }
            for name in ["A", "B", "C"] { side.call(Caller(name), ping) }
            for piece in pieces {
                side.receive(Array(piece))
                _ = side.output()
            }
            return side.taken()
        }
        let ends = [0, 26, 45, 65, 100, stream.count]
        let expected = [
            #"event event {"type":"event","n":1}"#, #"replied A {"type":"pong"}"#, #"event event {"type":"event"}"#,
            "failed B 1000: no", #"replied C {"type":"pong"}"#,
        ]
        // A client that has not asked yet cannot have a reply, so each piece ends before the next reply begins, or earlier.
        #expect(run([[]] + zip(ends, ends.dropFirst()).map { stream[$0..<$1] }) == expected)
        #expect(run([[]] + stream.indices.map { stream[$0...$0] }) == expected)
        for cut in 0...stream.count {
            let pieces = zip(ends, ends.dropFirst()).flatMap { start, end in
                (start..<end).contains(cut) ? [stream[start..<cut], stream[cut..<end]] : [stream[start..<end]]
            }
            #expect(run([[]] + pieces) == expected, "cut at \(cut)")
        }
    }

    @Test func `an error reply fails its call with its sentence`() {
        for (text, sentence) in [
            (#"{"type":"error","message":"Window \"x\" not found"}"#, "Window \"x\" not found"),
            (#"{"type":"error"}"#, "the service gave no reason"),
            (#"{"type":"error","message":7}"#, "the service gave no reason"),
        ] {
            var side = client()
            side.call(Caller("A"), ping)
            _ = side.output()
            side.receive(taggedFrame(text))
            #expect(side.taken() == ["failed A 1000: \(sentence)"])
        }
    }

    @Test func `a late reply is swallowed in its place`() {
        var side = client()
        side.call(Caller("A"), ping, deadline: 1_000_000_000)
        side.call(Caller("B"), ping)
        #expect(side.output().count == 19)
        #expect(side.session.wakeUp.delay(from: side.now) == 1_000_000_000)
        side.wait(.milliseconds(999))
        #expect(side.taken() == [])
        side.wait(.milliseconds(1))
        #expect(side.taken() == ["failed A deadlineExceeded: the deadline has passed"])
        #expect(side.output() == [])
        side.receive(taggedFrame(#"{"type":"late"}"#))
        #expect(side.taken() == [])
        #expect(side.output().count == 19)
        side.receive(pong)
        #expect(side.taken() == [#"replied B {"type":"pong"}"#])
    }

    @Test func `a late error is swallowed like any reply`() {
        var side = client()
        let caller = Caller("A")
        side.call(caller, ping)
        _ = side.output()
        side.submit(.abandon(caller, Failure(.cancelled, "no interest")))
        side.submit(.abandon(caller, Failure(.cancelled, "no interest")))
        #expect(side.taken() == ["failed A cancelled: no interest"])
        side.call(Caller("B"), ping)
        side.receive(taggedFrame(#"{"type":"error","message":"late"}"#))
        _ = side.output()
        side.receive(pong)
        #expect(side.taken() == [#"replied B {"type":"pong"}"#])
    }

    @Test func `a call that was abandoned while it waited is never sent`() {
        var side = client()
        let callers = ["A", "B", "C"].map(Caller.init)
        for caller in callers { side.call(caller, #"{"type":"\#(caller.name)"}"#, deadline: caller.name == "C" ? 5 : nil) }
        #expect(side.output() == taggedFrame(#"{"type":"A"}"#))
        side.submit(.abandon(callers[1], Failure(.cancelled, "no interest")))
        side.wait(.nanoseconds(5))
        #expect(side.taken() == ["failed B cancelled: no interest", "failed C deadlineExceeded: the deadline has passed"])
        side.receive(pong)
        #expect(side.output() == [])
        #expect(!side.session.machine.hasOutput)
    }

    @Test func `a call that was abandoned or overdue before it began is refused`() {
        var side = client()
        let caller = Caller("A")
        side.submit(.abandon(caller, Failure(.cancelled, "no interest")))
        side.call(caller, ping)
        side.now = Moment(awake: 0, continuous: 7)
        side.call(Caller("B"), ping, deadline: 7)
        #expect(
            side.taken() == [
                "failed A cancelled: the caller had lost interest before the call began",
                "failed B deadlineExceeded: the deadline had passed before the call began",
            ])
        #expect(side.output() == [])
    }

    @Test func `no more calls wait than the limit allows`() {
        var side = client { $0.limits.waitingCalls = 2 }
        side.call(Caller("A"), ping)
        _ = side.output()
        for name in ["B", "C", "D"] { side.call(Caller(name), ping) }
        #expect(side.taken() == ["failed D resourceExhausted: 2 calls wait already, the limit (waitingCalls)"])
    }

    @Test func `many calls that are abandoned leave nothing behind`() {
        var side = client()
        side.call(Caller("A"), ping)
        _ = side.output()
        for round in 1...300 {
            let callers = (0..<20).map { Caller("\(round).\($0)") }
            for caller in callers { side.call(caller, ping, deadline: UInt64(1_000_000 + round)) }
            for caller in callers.shuffled() { side.submit(.abandon(caller, Failure(.cancelled, ""))) }
            #expect(side.taken().count == 20)
        }
        side.call(Caller("B"), ping)
        side.receive(pong)
        _ = side.output()
        side.receive(pong)
        #expect(side.taken() == [#"replied A {"type":"pong"}"#, #"replied B {"type":"pong"}"#])
        side.wait(.seconds(1))
        #expect(side.session.wakeUp == WakeUp())
    }

    @Test(arguments: [
        ("", "invalidRequest: a request of m was not sent: not a valid JSON object: the text ends where a value is due, at byte 0"),
        ("{}", "invalidRequest: a request of m was not sent: a JSON object without a string member \"type\""),
        ("{\"type\":\"\(String(repeating: "x", count: 65_526))\"}", "tooLarge: a request of m was not sent: 65537 bytes, over the limit of 65536 (maximumMessage)"),
    ])
    func `a request that the format cannot carry fails alone`(text: String, reason: String) {
        var side = client()
        side.call(Caller("A"), text)
        side.call(Caller("B"), ping)
        #expect(side.taken() == ["failed A \(reason)"])
        #expect(side.output() == taggedFrame(ping))
    }

    @Test func `a service that ends fails every call`() {
        var side = client()
        for name in ["A", "B"] { side.call(Caller(name), ping) }
        _ = side.output()
        side.inputEnded()
        let reason = "closed by the peer, connectionLost: the peer ended the connection before the reply"
        #expect(
            side.taken() == [
                "failed A connectionLost: \(reason); whether the call was carried out is unknown",
                "failed B unavailable: \(reason); the call was not begun",
                reason,
            ])
        #expect(!side.session.machine.hasOutput)
        side.call(Caller("C"), ping)
        #expect(side.taken() == ["failed C unavailable: the connection is closed; the call was not begun"])
    }

    @Test func `a broken channel says why`() {
        var side = client()
        side.call(Caller("A"), ping)
        _ = side.output()
        side.receive(Array(pong.prefix(6)))
        side.inputEnded(Failure(.connectionLost, "reset"))
        let reason = "connection lost, connectionLost: the peer ended the connection in the middle of a message, after 6 of its bytes: reset"
        #expect(side.taken() == ["failed A connectionLost: \(reason); whether the call was carried out is unknown", reason])
        side = client()
        side.inputEnded()
        #expect(side.taken() == ["closed by the peer, finished: the peer ended the connection between two messages"])
    }

    @Test func `a reply that nobody asked for is a violation`() {
        var side = client()
        side.receive(pong)
        #expect(side.taken() == ["closed by this side, protocolViolation: a reply of 15 bytes that no call was waiting for"])
        side = client()
        side.call(Caller("A"), ping)
        side.receive(pong)
        let reason = "closed by this side, protocolViolation: a reply of 15 bytes that no call was waiting for"
        #expect(side.taken() == ["failed A unavailable: \(reason); the call was not begun", reason])
    }

    @Test(
        arguments: [
            ([0x01, 0x00, 0x01, 0x00], "frameTooLarge: a message of 65537 bytes, over the limit of 65536 (maximumMessage)"),
            ([0, 0, 0, 0], "protocolViolation: a message of 0 bytes that is not a valid JSON object: the text ends where a value is due, at byte 0"),
            ([2, 0, 0, 0, 0x22, 0x22], "protocolViolation: a message of 2 bytes that is not a valid JSON object: something else than an object at byte 0"),
        ] as [([UInt8], String)])
    func `a bad reply closes the connection with its name`(bytes: [UInt8], reason: String) {
        var side = client()
        side.call(Caller("A"), ping)
        _ = side.output()
        side.receive(bytes)
        #expect(
            side.taken() == [
                "failed A connectionLost: closed by this side, \(reason); whether the call was carried out is unknown",
                "closed by this side, \(reason)",
            ])
    }

    @Test func `a farewell waits for the call in flight and fails those that wait`() {
        var side = client()
        for name in ["A", "B"] { side.call(Caller(name), ping) }
        _ = side.output()
        side.submit(.farewell(Failure(.finished, "no more to ask")))
        side.call(Caller("C"), ping)
        #expect(
            side.taken() == [
                "failed B unavailable: this side is leaving; the call was not begun",
                "failed C unavailable: the connection is ending; the call was not begun",
            ])
        side.receive(pong)
        #expect(side.taken() == [#"replied A {"type":"pong"}"#, "closed by this side, finished: no more to ask"])
    }

    @Test func `a farewell does not wait for a reply that nobody wants`() {
        var side = client()
        side.call(Caller("A"), ping, deadline: 9)
        _ = side.output()
        side.submit(.farewell(Failure(.finished, "no more to ask")))
        #expect(side.taken() == [])
        side.wait(.nanoseconds(9))
        #expect(side.taken() == ["failed A deadlineExceeded: the deadline has passed", "closed by this side, finished: no more to ask"])
    }

    @Test func `a close ends at once`() {
        var side = client()
        side.call(Caller("A"), ping)
        _ = side.output()
        side.submit(.close(Failure(.finished, "enough")))
        #expect(
            side.taken() == [
                "failed A connectionLost: closed by this side, finished: enough; whether the call was carried out is unknown",
                "closed by this side, finished: enough",
            ])
    }

    @Test func `a client that waits for a reply is not idle`() {
        var timeouts = SessionTimeouts.defaults
        timeouts.idle = .seconds(10)
        var side = client(timeouts: timeouts)
        side.call(Caller("A"), ping)
        _ = side.output()
        side.wait(.seconds(100))
        #expect(side.taken() == [])
        side.receive(pong)
        _ = side.taken()
        side.wait(.seconds(10))
        #expect(side.taken() == ["closed by this side, idle: no message for 10.0 seconds (timeouts.idle)"])
    }

    @Test func `commands that the format has no bytes for fail or are ignored`() {
        var side = client()
        let caller = Caller("A")
        side.submit(.call(caller, OutgoingRequest(method: "m", codec: .json, payload: Array(ping.utf8), itemsFollow: true)))
        #expect(side.taken() == ["failed A invalidRequest: the recorder format cannot send items"])
        #expect(side.submit(.sendItem(caller, codec: .json, payload: nil)) == .ended)
        #expect(side.submit(.event(name: "e", codec: .json, payload: Array(ping.utf8), lane: .normal)) == .ended)
        side.submit(.grant(caller, bytes: 1))
        side.submit(.ping(7))
        #expect(side.taken() == [])
        #expect(side.output() == [])
    }
}
