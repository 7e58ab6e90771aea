// Bytes that other implementations of the format have made (docs/formats/checksummed.md), in both directions and for both roles.

import GinnelTesting
import Testing

@testable import GinnelCore

struct ChecksummedVector: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let checksum: Checksum
    let frame: [UInt8]
    var payload: [UInt8] { Array(frame[8...]) }

    init(_ name: String, _ checksum: Checksum, _ hex: String) {
        testDescription = "\(name), \(checksum)"
        self.checksum = checksum
        frame = NativeVectors.bytes(hex)
    }

    static let tasks = [
        ChecksummedVector("a task", .castagnoli, "0a000000c457443a0a087461736b2d313233"),
        ChecksummedVector("a task", .ieee, "0a0000008c76ae0c0a087461736b2d313233"),
        ChecksummedVector("a task with metadata", .castagnoli, "1c000000af6a58330a0274312a166361706162696c6974795f6e65676f74696174696f6e"),
    ]
    static let results = [
        ChecksummedVector("a success", .castagnoli, "0c0000000ddc7ef30a087461736b2d3132331001"),
        ChecksummedVector("a failure", .castagnoli, "100000002fa9265a0a087461736b2d3132331a04626f6f6d"),
        ChecksummedVector("a process", .castagnoli, "1c00000041b7a65f0a017410012215080110001a04696e6974600168017080d095ffbc31"),
    ]
}

@Suite struct ChecksummedVectorTests {
    @Test(arguments: ChecksummedVector.tasks, ChecksummedVector.results)
    func `known bytes are read and written`(task: ChecksummedVector, result: ChecksummedVector) {
        var service = MachineEnd.checksummed(.service) { $0.checksum = task.checksum }
        service.receive(task.frame)
        #expect(service.requests == [RecordedRequest(call: 1, method: "task", codec: .protobuf, payload: task.payload)])
        service = MachineEnd.checksummed(.service) { $0.checksum = result.checksum }
        service.receive(ChecksummedFrame.encoded([1], result.checksum))
        service.submit(.reply(call: 1, codec: .protobuf, payload: result.payload))
        #expect(service.takeAll() == result.frame)

        var client = MachineEnd.checksummed(.client) { $0.checksum = task.checksum }
        client.call("task", task.payload, codec: .protobuf)
        #expect(client.takeAll() == task.frame)
        client = MachineEnd.checksummed(.client) { $0.checksum = result.checksum }
        let call = client.call("task", [1], codec: .protobuf)
        _ = client.takeAll()
        client.receive(result.frame)
        #expect(call.outcomes == [.replied(codec: .protobuf, payload: result.payload)])
    }

    @Test(arguments: ChecksummedVector.tasks)
    func `the other polynomial reads none of it`(task: ChecksummedVector) {
        var service = MachineEnd.checksummed(.service) { $0.checksum = task.checksum == .ieee ? .castagnoli : .ieee }
        service.receive(task.frame)
        #expect(service.requests.isEmpty)
        #expect(service.closed?.failure.code == .checksumMismatch)
    }

    @Test func `there is no handshake, and a refusal says nothing`() {
        var service = MachineEnd(OrderedSession(role: .service, checksummed()))
        service.start()
        guard case .established(let establishment)? = service.takeActions().first else { return #expect(Bool(false), "not established") }
        #expect(establishment.peerLimits.maximumMessage == 1 << 20)
        #expect(service.takeAll().isEmpty)
        #expect(OrderedSession.refusal(.tooManyConnections).isEmpty)
    }
}
