// Types as a schema compiler generates them: their functions have the signatures of SwiftProtobuf's, with all parameters, and know nothing of this library.

import Ginnel
import GinnelTesting
import Testing

// MARK: What SwiftProtobuf brings

/// `SwiftProtobufContiguousBytes`.
private protocol ContiguousBytes {
    init(_ bytes: [UInt8])
    var all: [UInt8] { get }
}

extension [UInt8]: ContiguousBytes {
    fileprivate var all: [UInt8] { self }
}

private struct EncodingOptions { var usesDeterministicOrdering = false }
private struct DecodingOptions { var messageDepthLimit = 100 }
private protocol ExtensionMap {}

/// `SwiftProtobuf.Message`, as far as its bytes are concerned.
private protocol GeneratedMessage: Sendable {
    var number: UInt8 { get set }
    init()
}

extension GeneratedMessage {
    fileprivate func serializedBytes<Bytes: ContiguousBytes>(partial: Bool = false, options: EncodingOptions = EncodingOptions()) throws -> Bytes { Bytes([number]) }

    fileprivate init<Bytes: ContiguousBytes>(
        serializedBytes bytes: Bytes, extensions: (any ExtensionMap)? = nil, partial: Bool = false, options: DecodingOptions = DecodingOptions()
    ) throws {
        self.init()
        guard bytes.all.count == 1 else { throw Truncated() }
        number = bytes.all[0]
    }
}

private struct Truncated: Error {}

// MARK: What a program writes, once and for each type

extension GeneratedMessage where Self: SerializedMessage {
    func serializedBytes() throws -> [UInt8] { try serializedBytes(partial: false) }
    init(serializedBytes bytes: [UInt8]) throws { try self.init(serializedBytes: bytes, partial: false) }
}

private struct Question: GeneratedMessage {
    var number: UInt8 = 0
}

private struct Answer: GeneratedMessage {
    var number: UInt8 = 0
}

extension Answer: SerializedMessage {}

extension Question: SerializedMessage, WireRequest {
    typealias Response = Answer
    static let method = "question"
}

@Suite(.serialized, .ownThread, .timeLimit(.minutes(5))) struct SerializedMessageTests {
    @Test(arguments: [WireFormat.native, .checksummed(method: "question")])
    func `generated types are requests and answers, in every format that carries bytes`(format: WireFormat) async throws {
        try await withRunning(format: format) {
            $0.handle(Question.self) { question, context in
                #expect(context.codec == .protobuf)
                var answer = Answer()
                answer.number = question.number + 1
                return answer
            }
        } _: { running in
            var configuration = ClientConfiguration.defaults
            configuration.format = format
            try await running.connect(configuration) { client in
                var question = Question()
                question.number = 41
                let answer = try await client.call(question)
                #expect(answer.number == 42)
            }
        }
    }

    @Test func `bytes that are no such message are an invalid request`() async throws {
        try await withRunning {
            $0.handle(Question.self) { _, _ in Answer() }
        } _: { running in
            try await running.connect { client in
                let error = try await errorOf(CallError.self) { _ = try await client.call("question", codec: .protobuf, payload: [1, 2]) }
                #expect(error.code == .invalidRequest)
            }
        }
    }
}
