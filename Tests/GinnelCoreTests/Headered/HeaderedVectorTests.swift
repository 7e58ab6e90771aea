// Tests/Vectors/headered.json, which was written from docs/formats/headered.md by another program in another language.

import Foundation
import GinnelTesting
import Testing

@testable import GinnelCore

struct HeaderedVectors: Decodable {
    struct Message: Decodable {
        let name: String
        let hex: String
        let type: UInt16
        let id: String
        let flags: UInt8
        let payload: String
        var bytes: [UInt8] { NativeVectors.bytes(hex) }
        var payloadBytes: [UInt8] { NativeVectors.bytes(payload) }
    }
    struct Refused: Decodable, CustomTestStringConvertible {
        let name: String
        let hex: String
        let code: String
        let sentence: String
        var bytes: [UInt8] { NativeVectors.bytes(hex) }
        var testDescription: String { name }
    }
    let messages: [Message]
    let refused: [Refused]

    static let all: HeaderedVectors = {
        let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../Vectors/headered.json")
        return try! JSONDecoder().decode(HeaderedVectors.self, from: Data(contentsOf: path))
    }()

    static func bytes(_ name: String) -> [UInt8] { all.messages.first { $0.name == name }!.bytes }
}

@Suite struct HeaderedVectorTests {
    @Test func `the file has the messages that were given, and some more`() {
        let names = HeaderedVectors.all.messages.map(\.name)
        #expect(names.prefix(4) == ["data", "empty", "foreign heartbeat", "foreign completion request"])
        #expect(names.count == 9)
        #expect(HeaderedVectors.all.refused.count == 14)
    }

    @Test(arguments: HeaderedVectors.all.messages.indices)
    func `a header is read and written as the vectors say`(index: Int) throws {
        let vector = HeaderedVectors.all.messages[index]
        let bytes = vector.bytes
        let header = try #require(try HeaderedHeader(bytes.span.bytes, at: 0, maximumPayload: 1 << 20))
        try header.checkIntact(in: bytes.span.bytes, at: 0)
        #expect(header.type.rawValue == vector.type)
        #expect("\(header.id)" == vector.id)
        #expect(header.flags.rawValue == vector.flags)
        #expect(Array(bytes[24...]) == vector.payloadBytes)
        var output = OutputBuffer()
        output.append([1, 2, 3])
        HeaderedHeader.write(header, vector.payloadBytes, to: &output)
        #expect(output.withBytes { [UInt8]($0) } == [1, 2, 3] + bytes)
        #expect(HeaderedFrame(HeaderedType.RawValue(vector.type), id: header.id, flags: vector.flags, vector.payloadBytes).encoded == bytes)
    }

    @Test func `a foreign completion request is a request with its bytes, and the program's answer leaves as it is`() {
        var service = MachineEnd.headered(.service) { $0.payloads = .opaque() }
        service.receive(HeaderedVectors.bytes("foreign heartbeat") + HeaderedVectors.bytes("foreign completion request"))
        let payload = Array(HeaderedVectors.bytes("foreign completion request")[24...])
        #expect(service.takeActions() == [.request(RecordedRequest(call: 1, method: "completion_request", payload: payload))])
        #expect(service.takeAll() == HeaderedVectors.bytes("foreign heartbeat"))
        service.submit(.reply(call: 1, codec: .raw, payload: [9, 8]))
        #expect(service.headeredFrames() == [HeaderedFrame(Headers.completionResponse, id: 7, [9, 8])])
        #expect(service.headeredLeftovers == nil)
    }

    @Test func `a client sends a foreign request under the id that stands in it`() {
        var client = MachineEnd.headered(.client) {
            $0.payloads = .opaque(messageID: { $0.byteCount >= 72 ? $0.u64(at: $0.byteCount - 24) : nil })
        }
        let golden = HeaderedVectors.bytes("foreign completion request")
        let call = client.call("completion_request", Array(golden[24...]))
        #expect(client.takeAll() == golden)
        let without = client.call("completion_request", [1])
        let again = client.call("completion_request", Array(golden[24...]))
        #expect([without, again].allSatisfy { $0.failure?.code == .invalidRequest })
        client.hear(HeaderedFrame(Headers.completionResponse, id: 99, [1]))
        client.hear(HeaderedFrame(Headers.completionResponse, id: 7, [4, 2]))
        #expect(call.reply == [4, 2])
        #expect(client.headeredLeftovers == nil)
    }

    @Test func `the given messages of the other numbering end where they make no sense`() {
        var client = MachineEnd.headered(.client)
        client.receive(HeaderedVectors.bytes("data"))
        #expect(client.actions.closing == "closed by this side, protocolViolation: CompletionResponse (0x0002) with the unknown id 1: nothing with that id was asked")
        var service = MachineEnd.headered(.service)
        service.receive(HeaderedVectors.bytes("empty"))
        #expect(service.closed == nil)
        #expect(service.headeredFrames().first?.text.hasPrefix(#"{"code":4,"message":"CompletionRequest (0x0001) whose payload of 0 bytes"#) == true)
    }

    @Test(arguments: HeaderedVectors.all.refused)
    func `what is wrong is called by its name, on both sides`(vector: HeaderedVectors.Refused) throws {
        for role in [Role.client, .service] {
            var end = MachineEnd.headered(role)
            end.receive(vector.bytes)
            let reason = try #require(end.closed)
            #expect("\(reason.failure.code)" == vector.code)
            #expect(reason.failure.sentence.contains(vector.sentence))
            let told = end.headeredFrames()
            #expect(told.count == 1)
            #expect(told.first?.type == Headers.error)
            #expect(told.first?.id == 0)
            #expect(told.first?.text.contains(#""code":\#(reason.failure.code.rawValue),"#) == true)
        }
    }

    @Test func `a refused peer reads a code`() {
        let frames = HeaderedFrame.all(in: HeaderedSession.refusal(.peerRefused))
        #expect(frames == [.error(0, 103)])
    }
}
