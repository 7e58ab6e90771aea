// What a peer can do wrong: each ends the connection in silence, with its name on this side.

import GinnelTesting
import Testing

@testable import GinnelCore

@Suite struct ChecksummedBadInputTests {
    struct Wrong: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let bytes: [UInt8]
        let code: FailureCode
        let sentence: String

        init(_ name: String, _ bytes: [UInt8], _ code: FailureCode, _ sentence: String) {
            testDescription = name
            self.bytes = bytes
            self.code = code
            self.sentence = sentence
        }
    }

    private static let hello = Array("hello".utf8)

    static let all = [
        Wrong("no length, by its four bytes alone", [0, 0, 0, 0], .protocolViolation, "a message of no bytes, which the format does not have"),
        Wrong("the greatest length", [255, 255, 255, 255], .frameTooLarge, "a message of 4294967295 bytes, over the limit of 1048576 (maximumMessage)"),
        Wrong("one byte too many", WireFrame.u32(1 << 20 + 1), .frameTooLarge, "a message of 1048577 bytes, over the limit of 1048576 (maximumMessage)"),
        Wrong(
            "a wrong checksum", ChecksummedFrame.encoded(hello, crc: 1), .checksumMismatch,
            "a message of 5 bytes with the checksum 00000001, where ieee gives 3610a686"),
    ]

    @Test(arguments: all)
    func `a wrong request ends the connection by name`(wrong: Wrong) {
        var service = MachineEnd.checksummed(.service)
        service.receive(wrong.bytes)
        #expect(service.closed == CloseReason(by: .us, Failure(wrong.code, wrong.sentence)))
        #expect(service.requests.isEmpty)
        #expect(service.takeAll().isEmpty)
    }

    @Test(arguments: all)
    func `a wrong reply ends the connection by name, and the call with it`(wrong: Wrong) {
        var client = MachineEnd.checksummed(.client)
        let call = client.ask(task: "x")
        _ = client.takeAll()
        client.receive(wrong.bytes)
        #expect(client.closed == CloseReason(by: .us, Failure(wrong.code, wrong.sentence)))
        #expect(call.failure?.code == .connectionLost)
    }

    @Test func `every bit of a message and of its checksum counts`() {
        let frame = ChecksummedFrame.encoded(Self.hello)
        for bit in 32..<frame.count * 8 {
            var bytes = frame
            bytes[bit / 8] ^= 1 << UInt8(bit % 8)
            var service = MachineEnd.checksummed(.service)
            service.receive(bytes)
            #expect(service.closed?.failure.code == .checksumMismatch, "bit \(bit)")
        }
    }

    @Test(arguments: [100, 101, 1024, 9999, 10_000])
    func `the limit is inclusive, on both sides`(limit: Int) {
        let most = [UInt8](repeating: 7, count: limit)
        var service = MachineEnd.checksummed(.service) { $0.maximumMessage = limit }
        service.receive(ChecksummedFrame.encoded(most))
        #expect(service.requests.map(\.payload) == [most])
        service.submit(.reply(call: 1, codec: .protobuf, payload: most))
        #expect(service.takeAll() == ChecksummedFrame.encoded(most))
        service.receive(WireFrame.u32(UInt32(limit + 1)))
        #expect(service.closed?.failure.code == .frameTooLarge)

        var client = MachineEnd.checksummed(.client) { $0.maximumMessage = limit }
        let call = client.call("task", most + [7], codec: .protobuf)
        #expect(call.failure == Failure(.tooLarge, "a request of task was not sent: \(limit + 1) bytes, over the limit of \(limit) (maximumMessage)"))
        client.call("task", most, codec: .protobuf)
        #expect(client.takeAll().count == limit + 8)
    }

    @Test func `a length that lies is an end in the middle`() {
        var service = MachineEnd.checksummed(.service)
        service.receive(ChecksummedFrame.encoded([1, 2, 3], length: 10))
        #expect(service.requests.isEmpty)
        service.inputEnded()
        let sentence = "the peer ended the connection in the middle of a message, after 11 of its bytes"
        #expect(service.closed == CloseReason(by: .nobody, Failure(.connectionLost, sentence)))
    }

    @Test func `a message that does not go on is given up after the time for reading`() {
        var service = MachineEnd.checksummed(.service)
        service.receive([10, 0, 0, 0, 1])
        service.elapse(.seconds(29))
        #expect(service.closed == nil)
        service.elapse(.seconds(1))
        #expect(service.closed?.failure.code == .readTimeout)
    }

    @Test func `a reply that nobody asked for is a violation`() {
        var client = MachineEnd.checksummed(.client)
        client.hear(frame: "hello")
        #expect(client.closed == CloseReason(by: .us, Failure(.protocolViolation, "a reply of 5 bytes that no call was waiting for")))
    }

    @Test func `what the format cannot carry is not sent`() {
        var client = MachineEnd.checksummed(.client)
        #expect(client.ask(task: "").failure == Failure(.invalidRequest, "a request of task was not sent: a message of no bytes, which the checksummed format cannot carry"))
        #expect(client.call("other", [1]).failure == Failure(.unknownMethod, "a request of other was not sent: the checksummed format has one method here, task"))
        #expect(client.call("task", [1], itemsFollow: true).failure == Failure(.invalidRequest, "the checksummed format cannot send items"))
        #expect(client.takeAll().isEmpty)
        var service = MachineEnd.checksummed(.service)
        #expect(service.submit(.event(name: "e", codec: .protobuf, payload: [1], lane: .normal)) == .ended)
        #expect(service.call("task", [1]).failure == Failure(.unavailable, "the checksummed format lets only the client call; the call was not begun"))
        #expect(service.takeAll().isEmpty)
    }

    @Test(arguments: [0, 1 << 20 + 1])
    func `a reply that cannot be sent ends the connection`(size: Int) {
        var service = MachineEnd.checksummed(.service) { $0.failureEncoder = saidFailure }
        service.hear(frame: "x")
        service.submit(.reply(call: 1, codec: .protobuf, payload: [UInt8](repeating: 7, count: size)))
        #expect(service.closed?.failure.code == (size == 0 ? .invalidReply : .tooLarge))
        #expect(service.takeAll().isEmpty)
    }

    @Test func `random and almost right bytes never trap`() {
        var random = SplitMix64(seed: 2)
        for _ in 0..<2000 {
            var bytes = random.oneIn(2) ? random.bytes(random.number(in: 0...40)) : (0..<3).flatMap { _ in ChecksummedFrame.encoded(random.bytes(random.number(in: 0...9))) }
            if !bytes.isEmpty, random.oneIn(2) { bytes[random.number(in: 0...bytes.count - 1)] ^= UInt8(random.number(in: 1...255)) }
            for role in [Role.client, .service] {
                var end = MachineEnd.checksummed(role)
                let call = end.ask(task: "x")
                end.receive(bytes)
                end.inputEnded()
                #expect(end.closed != nil)
                #expect(role == .service || call.outcomes.count == 1)
            }
        }
    }
}
