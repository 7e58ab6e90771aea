// Peers of bare streams that break the rules, while the stream is opened and after: the named error within its time limit, nothing left, and other streams that do not notice.

import CTestSupport
import Foundation
import Ginnel
import GinnelCore
import GinnelTesting
import GinnelTransport
import Testing

@Suite(.serialized, .ownThread, .enabled(if: ts_has_memory()), .timeLimit(.minutes(5))) struct LyingStreamTests {
    private static let capacity = 4096
    private static let preamble: [UInt8] = [0x47, 0x49, 0x4E, 0x53, 0x48, 0x4D, 1, 0]
    private static func message(_ verb: UInt8, handles: UInt8 = 0, value: UInt32 = 0) -> [UInt8] {
        preamble + WireFrame.upgrade(verb, handles: handles, value: value).payload
    }

    private static var options: SharedMemoryStreamOptions {
        var options = SharedMemoryStreamOptions.defaults
        options.sharedMemory.ringBytes = capacity
        return options
    }

    // MARK: Opening

    struct Answer: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let bytes: [UInt8]
        /// Whether the peer leaves after it, or waits for what comes.
        let leaves: Bool
        let code: GinnelError.Code
        let failure: FailureCode?
        let sentence: String

        init(_ name: String, _ bytes: [UInt8], leaves: Bool = false, _ code: GinnelError.Code, _ failure: FailureCode?, _ sentence: String) {
            testDescription = name
            self.bytes = bytes
            self.leaves = leaves
            self.code = code
            self.failure = failure
            self.sentence = sentence
        }
    }

    /// What either side may say instead of its word.
    private static let strange: [Answer] = [
        Answer("nothing", [], .timedOut, nil, "within"),
        Answer("a part and no more", Array(preamble.prefix(5)), .timedOut, nil, "within"),
        Answer("nothing, and leaves", [], leaves: true, .closed, nil, "before it said anything"),
        Answer("a part, and leaves", Array(message(2).prefix(12)), leaves: true, .closed, nil, "after 12 of 24 bytes"),
        Answer("garbage", [UInt8](repeating: 0x5A, count: 24), .closed, .protocolViolation, "first bytes"),
        Answer("another version", [0x47, 0x49, 0x4E, 0x53, 0x48, 0x4D, 2, 0] + message(2).dropFirst(8), .closed, .protocolViolation, "first bytes"),
        Answer("an unknown verb", message(9), .closed, .protocolViolation, "unknown verb 9"),
        Answer("a switch", message(4), .closed, .protocolViolation, "switch from the"),
        Answer("a reserved byte", Array(message(2).dropLast()) + [1], .closed, .protocolViolation, "reserved"),
    ]

    static let clientAnswers =
        strange + [
            Answer("a refusal", message(3, value: 6), .refused, .resourceExhausted, "refused the offer"),
            Answer("an offer", message(1, handles: 3, value: 4096), .closed, .protocolViolation, "offer from the client"),
        ]
    static let serviceOffers =
        strange + [
            Answer("an acceptance", message(2), .closed, .protocolViolation, "accept from the service"),
            Answer("an offer without descriptors", message(1, handles: 3, value: 4096), .invalid, nil, "announces 3 descriptors and came with 0"),
        ]

    @Test(arguments: clientAnswers) func `a client that does not open its stream as it should gets none`(answer: Answer) async throws {
        var options = Self.options
        if answer.code == .timedOut { options.handshakeTimeout = .milliseconds(200) }
        try await Self.withListener(options) { path, _, complaints, _ in
            let peer = try RawPeer(connectingTo: path)
            let offer = try await peer.read(24)
            #expect(offer == Self.message(1, handles: 3, value: UInt32(Self.capacity)))
            let traces = peer.tracesOfDescriptors()
            #expect(!traces.left.isEmpty)
            try await peer.send(answer.bytes)
            if answer.leaves { peer.close() }
            try await complaints.wait { !$0.isEmpty }
            try Self.check(complaints.all[0], answer)
            if !answer.leaves {
                let rest = try await peer.readToEnd()
                #expect(rest == [])
            }
            #expect(traces.left == [])
        }
    }

    @Test(arguments: serviceOffers) func `a service that does not open its stream as it should is left with an error`(answer: Answer) async throws {
        var options = Self.options
        if answer.code == .timedOut { options.handshakeTimeout = .milliseconds(200) }
        let error = try await Self.connecting(options) { peer in
            try await peer.send(answer.bytes)
            if answer.leaves { peer.close() } else { _ = try await peer.readToEnd() }
        }
        try Self.check(error, answer)
    }

    @Test(arguments: LyingOfferTests.offers) func `what is offered is refused as it is for calls`(offer: LyingOfferTests.Offer) async throws {
        let traces = Recorded<Traces>()
        let error = try await Self.connecting(.defaults) { peer in
            let descriptors = offer.make()
            traces.append(Traces(of: descriptors))
            try RawSocket.send(Self.message(1, handles: offer.says, value: offer.capacity), with: descriptors, to: peer.number)
            for descriptor in descriptors { close(descriptor) }
            let answer = try await peer.readToEnd()
            // A ring that cannot be is a lie; everything else may be want of room.
            let code: FailureCode = offer.sentence.contains("no power of two") ? .protocolViolation : .resourceExhausted
            #expect(answer == Self.message(3, value: code.rawValue))
        }
        #expect("\(error)".contains(offer.sentence), "\(error)")
        #expect(traces.all[0].left == [])
    }

    private static func check(_ error: GinnelError, _ answer: Answer) throws {
        #expect(error.code == answer.code)
        #expect(error.failure?.code == answer.failure)
        #expect("\(error)".contains(answer.sentence), "\(error)")
    }

    /// What connecting to a service made by hand throws.
    private static func connecting(_ options: SharedMemoryStreamOptions, _ service: @escaping @Sendable (RawPeer) async throws -> Void) async throws -> GinnelError {
        try await withDirectory { directory in
            let listener = try RawListener(at: directory + "/s")
            return try await EventLoop.run { loop in
                async let serving: Void = service(try await listener.accept())
                let error = try await errorOf(GinnelError.self) { _ = try await SharedMemoryStream.connect(to: .path(listener.path), options: options, on: loop) }
                try await serving
                return error
            }
        }
    }

    // MARK: The ring

    /// Those that are lies here too: in a stream an empty record is a message.
    static let lies = LyingRingTests.lies.filter { $0.sentence != "empty records" }

    @Test(arguments: lies) func `a lie in the ring ends the stream with its name`(lie: LyingRingTests.Lie) async throws {
        try await Self.withListener(Self.options) { path, listener, _, _ in
            let (peer, link) = try await Self.opened(at: path)
            let stream = try await listener.accept()
            let message = ChannelEnd.pattern(2_000, seed: 5)
            for _ in 0..<4 {
                try await link.write(record: message)
                let there = try await stream.receive()
                try await stream.send(message)
                let back = try await link.record()
                #expect(there == message && back == message)
            }
            async let received = Result { while let message = try await stream.receive() { #expect(message == []) } }
            try await lie.tell(link)
            link.ring()
            let result: Result<Void, any Error>
            if lie.endsWithGoodbye {
                result = await received
            } else {
                result = await Result { while true { try await stream.send(message) } }
                await stream.close()
                _ = await received
            }
            let error = #expect(throws: GinnelError.self) { try result.get() }
            #expect(error?.code == .closed && error?.failure?.code == .protocolViolation)
            #expect(error?.sentence.contains(lie.sentence) == true, "\(String(describing: error))")
            await stream.close()
            _ = try await peer.readToEnd()
            withExtendedLifetime(link) {}
        }
    }

    @Test func `a doorbell that never rings costs a receiver its time limit and no message`() async throws {
        try await Self.withListener(Self.options) { path, listener, _, _ in
            let (peer, link) = try await Self.opened(at: path)
            let stream = try await listener.accept()
            let error = try await errorOf(GinnelError.self) { _ = try await stream.receive(within: .milliseconds(20)) }
            #expect(error.code == .timedOut)
            async let second = Result { try await stream.receive(within: .milliseconds(300)) }
            try await link.write(record: [1, 2, 3], rings: false)
            let result = await second
            // It slept, or looked after the record was there.
            if case .failure(let error) = result { #expect((error as? GinnelError)?.code == .timedOut) }
            let message = if case .success(let message) = result { message } else { try await stream.receive() }
            #expect(message == [1, 2, 3])
            peer.close()
            let end = try await errorOf(GinnelError.self) { _ = try await stream.receive() }
            #expect(end.code == .closed && end.sentence.contains("without a farewell"))
            await stream.close()
        }
    }

    @Test(arguments: [false, true]) func `a doorbell that rings for ever ends the stream, whether somebody waits or not`(waits: Bool) async throws {
        try await Self.withListener(Self.options) { path, listener, _, _ in
            let (peer, link) = try await Self.opened(at: path)
            let stream = try await listener.accept()
            async let waiting = Result { waits ? try await stream.receive() : [] }
            try await offPool {
                while !peer.hasEnded {
                    link.ring()
                    sched_yield()
                }
            }
            let waited = await waiting
            if case .failure = waited { #expect(waits) } else { #expect(!waits) }
            let error = try await errorOf(GinnelError.self) { _ = try await stream.receive() }
            #expect(error.sentence.contains("the doorbell was rung 1001 times within a second"))
            await stream.close()
        }
    }

    @Test func `bytes on the socket of an open stream are a violation`() async throws {
        try await Self.withListener(Self.options) { path, listener, _, _ in
            let (peer, _) = try await Self.opened(at: path)
            let stream = try await listener.accept()
            try await peer.send([0, 0, 0])
            let error = try await errorOf(GinnelError.self) { _ = try await stream.receive() }
            #expect(error.failure?.code == .protocolViolation && error.sentence.contains("3 bytes on the socket"))
            await stream.close()
        }
    }

    // MARK: Bytes that change

    @Test(arguments: [false, true]) func `what is lent is a copy that a peer cannot change, unless the peer is trusted`(trusted: Bool) async throws {
        var options = Self.options
        options.trustedPeer = trusted
        try await Self.withListener(options) { path, listener, _, _ in
            let (peer, link) = try await Self.opened(at: path)
            let stream = try await listener.accept()
            for round in 0..<20 {
                let message = ChannelEnd.pattern(100 * round + 1, seed: UInt64(round))
                try await link.write(record: message)
                let changed = try await stream.withNextMessage { bytes in
                    let before = bytes.withUnsafeBytes { [UInt8]($0) }
                    #expect(before == message)
                    link.turnEveryBit()
                    return bytes.withUnsafeBytes { [UInt8]($0) } != before
                }
                #expect(changed == trusted)
            }
            peer.close()
            await stream.close()
        }
    }

    // MARK: Harness

    /// A stream that was opened by hand.
    private static func opened(at path: String) async throws -> (RawPeer, RawLink) {
        let peer = try RawPeer(connectingTo: path)
        guard try await peer.read(24) == message(1, handles: 3, value: UInt32(capacity)) else { throw RawSocketError(operation: "offer", number: EPROTO) }
        let link = try RawLink(peer.takeDescriptors(), capacity: capacity, isMaker: false, over: peer)
        try await peer.send(message(2))
        return (peer, link)
    }

    /// Runs `body` beside a stream that works before, during and after, and another that is opened after.
    private static func withListener(
        _ options: SharedMemoryStreamOptions, _ body: @escaping @Sendable (String, SharedMemoryListener, Recorded<GinnelError>, EventLoop) async throws -> Void
    ) async throws {
        try await withDirectory { directory in
            try await EventLoop.run { loop in
                let complaints = Recorded<GinnelError>()
                let listener = try await SharedMemoryListener.bind(.path(directory + "/s"), options: options, on: loop) { complaints.append($0) }
                let neighbours = try await pair(directory + "/s", listener, options, loop)
                try await check(neighbours)
                let result = await Result { () async throws in try await body(directory + "/s", listener, complaints, loop) }
                try result.get()
                try await check(neighbours)
                let late = try await pair(directory + "/s", listener, options, loop)
                try await check(late)
                for stream in [neighbours.0, neighbours.1, late.0, late.1] { await stream.close() }
                await listener.close()
            }
        }
    }

    private static func pair(
        _ path: String, _ listener: SharedMemoryListener, _ options: SharedMemoryStreamOptions, _ loop: EventLoop
    ) async throws -> (SharedMemoryStream, SharedMemoryStream) {
        async let accepted = listener.accept()
        let client = try await SharedMemoryStream.connect(to: .path(path), options: options, on: loop)
        return (client, try await accepted)
    }

    private static func check(_ streams: (SharedMemoryStream, SharedMemoryStream)) async throws {
        for seed: UInt64 in 0..<5 {
            let message = ChannelEnd.pattern(1_500, seed: seed)
            try await streams.0.send(message)
            let there = try await streams.1.receive()
            try await streams.1.send(message)
            let back = try await streams.0.receive()
            #expect(there == message && back == message)
        }
    }
}

extension Result where Failure == any Error {
    fileprivate init(_ body: () async throws -> Success) async {
        do { self = .success(try await body()) } catch { self = .failure(error) }
    }
}
