import GinnelCore
import Testing

private typealias Caller = TaggedJSONSide.Caller

@Suite struct TaggedJSONServiceTests {
    private let ping = taggedFrame(#"{"type":"ping"}"#)

    private func service(
        timeouts: SessionTimeouts = .defaults, _ configure: (inout TaggedJSONConfiguration) -> Void = { _ in }
    ) -> TaggedJSONSide {
        var side = TaggedJSONSide(.service, timeouts: timeouts, configure)
        _ = side.taken()
        return side
    }

    @Test func `there is no handshake`() {
        var side = TaggedJSONSide(.service)
        #expect(side.taken() == ["established 65536 0"])
        #expect(side.output() == [])
        #expect(OrderedSession.refusal(.peerRefused) == [])
    }

    @Test(arguments: [
        ("0f0000007b2274797065223a2270696e67227d", "request ping {\"type\":\"ping\"}"),
        ("1a0000007b2274797065223a2271756572795f73656c656374696f6e227d", "request query_selection {\"type\":\"query_selection\"}"),
    ])
    func `the bytes of existing clients are understood`(hexadecimal: String, expected: String) throws {
        let digits = Array(hexadecimal)
        let bytes = try stride(from: 0, to: digits.count, by: 2).map { try #require(UInt8(String(digits[$0...$0 + 1]), radix: 16)) }
        var side = service()
        side.receive(bytes)
        #expect(side.taken() == [expected])
        side.reply(#"{"type":"pong"}"#)
        #expect(side.output() == [0x0F, 0, 0, 0] + Array(#"{"type":"pong"}"#.utf8))
    }

    /// Four requests, of which the last has every kind of value, are answered as they come.
    @Test func `however the bytes are cut, the requests are the same`() {
        let texts = [#"{"type":"ping"}"#, #"{"a":[1,{"type":2}],"type":"p\u0069ng","é":"😀"}"#, "{ \"type\" : \"\" }", #"{"type":"x","v":[null,-1.5e3]}"#]
        let stream = texts.flatMap(taggedFrame)
        func run(_ pieces: [ArraySlice<UInt8>]) -> [String] {
            var side = service()
            for piece in pieces {
                side.receive(Array(piece))
                while side.answering != nil { side.reply(#"{"type":"ok"}"#) }
            }
            #expect(side.output() == texts.flatMap { _ in taggedFrame(#"{"type":"ok"}"#) })
            return side.taken()
        }
        let whole = run([stream[...]])
        #expect(whole == zip(["ping", "ping", "", "x"], texts).map { "request \($0) \($1)" })
        #expect(run(stream.indices.map { stream[$0...$0] }) == whole)
        for cut in 0...stream.count { #expect(run([stream[..<cut], stream[cut...]]) == whole, "cut at \(cut)") }
    }

    @Test func `the next request waits until the first is answered`() {
        var side = service()
        #expect(side.session.wantsInput)
        side.receive(ping + ping)
        #expect(side.taken().count == 1)
        #expect(!side.session.wantsInput)
        side.receive(ping)
        #expect(side.taken() == [])
        side.reply("{}")
        #expect(side.taken().count == 1)
        side.reply("{}")
        side.reply("{}")
        #expect(side.taken().count == 1)
        #expect(side.session.wantsInput)
        #expect(side.output().count == 18)
    }

    @Test func `a request of an unknown type is delivered`() {
        var side = service()
        side.receive(taggedFrame(#"{"type":"no such thing"}"#))
        #expect(side.taken() == [#"request no such thing {"type":"no such thing"}"#])
        side.fail(Failure(.unknownMethod, "no method \"no such thing\""))
        #expect(side.output() == taggedFrame(#"{"type":"error","message":"no method \"no such thing\""}"#))
        #expect(side.session.wantsInput)
    }

    @Test func `a failure without a sentence says its name, and a prefix stands before it`() {
        var side = service { $0.errorPrefix = "Invalid request: " }
        side.receive(ping)
        side.fail(Failure(.forbidden, ""))
        #expect(side.output() == taggedFrame(#"{"type":"error","message":"Invalid request: forbidden"}"#))
    }

    @Test func `a sentence too long for a message is cut`() {
        var side = service { $0.maximumMessage = 64 }
        side.receive(ping)
        side.fail(Failure(.internal, String(repeating: "\"é", count: 100)))
        let output = side.output()
        #expect(output.count <= 68)
        #expect(output.count > 60)
        var client = TaggedJSONSide(.client) { $0.maximumMessage = 64 }
        client.call(Caller("A"), "{\"type\":\"x\"}")
        _ = (client.output(), client.taken())
        client.receive(output)
        #expect(client.taken().first?.hasPrefix("failed A 1000: \"é\"é") == true)
    }

    @Test func `a message may be 65,536 bytes long and not one more`() {
        func text(_ count: Int) -> String { #"{"type":"x","data":""# + String(repeating: "a", count: count - 22) + #""}"# }
        #expect(text(65_536).utf8.count == 65_536)
        var side = service()
        side.receive(taggedFrame(text(65_536)))
        #expect(side.taken() == ["request x \(text(65_536))"])
        side.reply(text(65_536))
        #expect(side.output() == taggedFrame(text(65_536)))
        side.receive([0x01, 0x00, 0x01, 0x00])
        #expect(side.taken() == ["closed by this side, frameTooLarge: a message of 65537 bytes, over the limit of 65536 (maximumMessage)"])
    }

    @Test func `a length over the limit is refused before its bytes arrive`() {
        var side = service()
        side.receive([0xFF, 0xFF, 0xFF])
        #expect(side.taken() == [])
        side.receive([0xFF])
        #expect(side.taken() == ["closed by this side, frameTooLarge: a message of 4294967295 bytes, over the limit of 65536 (maximumMessage)"])
        #expect(side.output() == [])
    }

    @Test(arguments: [
        ("", "0 bytes that is not a valid JSON object: the text ends where a value is due, at byte 0"),
        ("ping", "4 bytes that is not a valid JSON object: something else than a value at byte 0"),
        ("[1]", "3 bytes that is not a valid JSON object: something else than an object at byte 0"),
        (#"{"type":"a"} {}"#, "15 bytes that is not a valid JSON object: more after the end of the value at byte 13"),
        (#"{"type":"a","type":"b"}"#, "23 bytes that is not a valid JSON object: a key that the object already has at byte 12"),
        (#"{"type":"a""#, "11 bytes that is not a valid JSON object: the text ends where ',' or '}' is due, at byte 11"),
        ("\u{FEFF}{}", "5 bytes that is not a valid JSON object: a byte order mark at byte 0"),
    ])
    func `a text that is no object closes the connection without a reply`(text: String, reason: String) {
        var side = service()
        side.receive(taggedFrame(text) + ping)
        #expect(side.taken() == ["closed by this side, protocolViolation: a message of \(reason)"])
        #expect(side.output() == [])
        #expect(!side.session.wantsInput)
    }

    @Test(arguments: ["{}", #"{"Type":"ping"}"#, #"{"type":null}"#, #"{"type":7}"#, #"{"a":{"type":"ping"}}"#])
    func `an object without a type closes the connection without a reply`(text: String) {
        var side = service()
        side.receive(taggedFrame(text))
        let count = text.utf8.count
        #expect(side.taken() == ["closed by this side, protocolViolation: a request of \(count) bytes without a string member \"type\""])
        #expect(side.output() == [])
    }

    @Test(arguments: [
        ("pong", "invalidReply: a reply that cannot be sent: not a valid JSON object: something else than a value at byte 0"),
        ("", "invalidReply: a reply that cannot be sent: not a valid JSON object: the text ends where a value is due, at byte 0"),
        ("[]", "invalidReply: a reply that cannot be sent: not a valid JSON object: something else than an object at byte 0"),
        ("{\"type\":\"\(String(repeating: "x", count: 65_526))\"}", "tooLarge: a reply that cannot be sent: 65537 bytes, over the limit of 65536 (maximumMessage)"),
    ])
    func `a reply that the format cannot carry closes the connection`(text: String, reason: String) {
        var side = service()
        side.receive(ping)
        _ = side.taken()
        side.reply(text)
        #expect(side.taken() == ["closed by this side, \(reason)"])
        #expect(side.output() == [])
    }

    @Test func `replies that wait leave before a close`() {
        var side = service()
        side.receive(ping)
        side.reply(#"{"type":"pong"}"#)
        side.receive(taggedFrame("?"))
        #expect(side.output() == taggedFrame(#"{"type":"pong"}"#))
    }

    @Test func `events leave as they are, in order with the replies`() {
        var side = service()
        side.receive(ping)
        func event(_ text: String) -> Acceptance { side.submit(.event(name: "e", codec: .json, payload: Array(text.utf8), lane: .normal)) }
        #expect(event(#"{"type":"event","n":1}"#) == .taken(mayCarryOn: true))
        side.reply(#"{"type":"pong"}"#)
        #expect(event(#"{"type":"event","n":2}"#) == .taken(mayCarryOn: true))
        let expected = [#"{"type":"event","n":1}"#, #"{"type":"pong"}"#, #"{"type":"event","n":2}"#].flatMap(taggedFrame)
        #expect(side.session.machine.outputBytes == expected.count)
        #expect(side.output() == expected)
        #expect(side.session.machine.outputBytes == 0)
        #expect(event("{\"type\":\"\(String(repeating: "x", count: 65_526))\"}") == .tooLarge(limit: 65_536))
        _ = side.taken()
        #expect(event("{}") == .ended)
        #expect(side.taken() == ["closed by this side, invalidReply: an event that cannot be sent: a JSON object without a string member \"type\""])
        #expect(event(#"{"type":"event"}"#) == .ended)
    }

    @Test func `the oldest events give way when too many wait`() {
        var side = service { $0.limits.eventBytes = 70 }
        side.receive(ping)
        side.reply("{}")
        for n in 1...5 { side.submit(.event(name: "e", codec: .json, payload: Array(#"{"type":"e","n":\#(n)}"#.utf8), lane: .normal)) }
        #expect(side.output() == ["{}", #"{"type":"e","n":3}"#, #"{"type":"e","n":4}"#, #"{"type":"e","n":5}"#].flatMap(taggedFrame))
    }

    @Test func `too many events or replies close a slow reader where that is asked for`() {
        var side = service {
            $0.limits.eventBytes = 30
            $0.limits.eventOverflow = .close
        }
        for _ in 1...2 { side.submit(.event(name: "e", codec: .json, payload: Array(#"{"type":"e"}"#.utf8), lane: .normal)) }
        #expect(side.taken() == ["closed by this side, slowReader: 32 bytes of events wait for the peer, over the limit of 30 (eventBytes)"])
        side = service { $0.limits.bufferedBytes = 30 + 2 * 128 }
        side.receive(ping + ping)
        side.reply(#"{"type":"pong"}"#)
        _ = side.taken()
        side.reply(#"{"type":"pong"}"#)
        #expect(side.taken() == ["closed by this side, slowReader: 294 bytes wait for the peer, over the limit of 286 (bufferedBytes)"])
    }

    @Test func `a client that ends between two messages has finished`() {
        var side = service()
        side.receive(ping)
        side.reply("{}")
        _ = side.taken()
        side.inputEnded()
        #expect(side.taken() == ["closed by the peer, finished: the peer ended the connection between two messages"])
    }

    @Test func `a client that ends in the middle of a message was lost`() {
        var side = service()
        side.receive(Array(ping.prefix(9)))
        side.inputEnded()
        #expect(side.taken() == ["connection lost, connectionLost: the peer ended the connection in the middle of a message, after 9 of its bytes"])
    }

    @Test func `a handler is stopped when its client has gone`() {
        var side = service()
        side.receive(ping)
        _ = side.taken()
        side.inputEnded()
        #expect(
            side.taken() == [
                "cancel connectionLost: closed by the peer, connectionLost: the peer ended the connection before the reply",
                "closed by the peer, connectionLost: the peer ended the connection before the reply",
            ])
        side.reply("{}")
        #expect(side.output() == [])
        #expect(side.taken() == [])
    }

    @Test func `a farewell lets the request in hand be answered and takes no other`() {
        var side = service()
        side.receive(ping)
        side.submit(.farewell(Failure(.shuttingDown, "the service stops")))
        side.receive(ping)
        #expect(side.taken().count == 1)
        side.reply("{}")
        #expect(side.taken() == ["closed by this side, shuttingDown: the service stops"])
        #expect(side.output() == taggedFrame("{}"))
        side = service()
        side.submit(.farewell(Failure(.shuttingDown, "the service stops")))
        #expect(side.taken() == ["closed by this side, shuttingDown: the service stops"])
    }

    @Test func `a close ends at once and stops the handler`() {
        var side = service()
        side.receive(ping)
        _ = side.taken()
        side.submit(.close(Failure(.internal, "enough")))
        side.submit(.close(Failure(.internal, "enough")))
        #expect(side.taken() == ["cancel connectionLost: closed by this side, internal: enough", "closed by this side, internal: enough"])
    }

    @Test func `idle time counts between messages and not while a request is answered`() {
        var timeouts = SessionTimeouts.defaults
        timeouts.idle = .seconds(10)
        var side = service(timeouts: timeouts)
        side.wait(.seconds(9))
        side.receive(ping)
        _ = side.taken()
        side.wait(.seconds(60))
        #expect(side.taken() == [])
        side.reply("{}")
        side.wait(.seconds(9))
        #expect(side.taken() == [])
        #expect(side.session.wakeUp.delay(from: side.now) == 1_000_000_000)
        side.wait(.seconds(1))
        #expect(side.taken() == ["closed by this side, idle: no message for 10.0 seconds (timeouts.idle)"])
        #expect(side.session.wakeUp == WakeUp())
    }

    @Test func `a message that was begun has to be completed in time`() {
        var side = service()
        side.receive(Array(ping.prefix(3)))
        side.wait(.seconds(29))
        #expect(side.taken() == [])
        side.wait(.seconds(1))
        #expect(side.taken().first?.hasPrefix("closed by this side, readTimeout: ") == true)
    }

    @Test func `commands that the format has no bytes for fail or are ignored`() {
        var side = service()
        side.call(Caller("A"), #"{"type":"ping"}"#)
        #expect(side.taken() == ["failed A unavailable: the recorder format lets only the client call; the call was not begun"])
        side.receive(ping)
        _ = side.taken()
        #expect(side.submit(.item(call: 1, codec: .json, payload: [])) == .ended)
        side.submit(.accept(call: 1, bytes: 1))
        side.submit(.ping(7))
        side.submit(.reply(call: 99, codec: .json, payload: []))
        #expect(side.taken() == [])
        #expect(side.output() == [])
    }

    @Test func `20,000 mutations of requests end in a request or a named reason, and nothing traps`() {
        var random = SeededRandom(seed: 65_536)
        let stream = ping + taggedFrame(#"{"a":[1,{"b":"\u00e9"}],"type":"x"}"#) + ping
        var closed = 0
        for _ in 0..<20_000 {
            var bytes = stream
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            var side = service()
            side.receive(bytes)
            while side.answering != nil { side.reply("{}") }
            side.inputEnded()
            let log = side.taken()
            #expect(log.last.map { $0.hasPrefix("closed by") || $0.hasPrefix("connection lost") } == true)
            #expect(log.dropLast().allSatisfy { $0.hasPrefix("request ") })
            if log.last?.hasPrefix("closed by this side") == true { closed += 1 }
        }
        #expect(closed > 1_000)
    }
}
