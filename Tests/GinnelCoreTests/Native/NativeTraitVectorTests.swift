// The vectors of what needs a package trait, read and written without the libraries: frames of zstd that hold one byte many times are easily made by hand.

import GinnelTesting
import Testing

@testable import GinnelCore

/// Frames of zstd as `make_native.py` writes them.
private struct RunsOfZstandard: PayloadCompressor {
    private static let head: [UInt8] = [0x28, 0xB5, 0x2F, 0xFD, 0x60]

    func compress(_ payload: [UInt8]) -> [UInt8]? {
        guard (256..<65_792).contains(payload.count), payload.allSatisfy({ $0 == payload[0] }) else { return nil }
        let block = WireFrame.u32(UInt32(1 | 1 << 1 | payload.count << 3))[..<3]
        return Self.head + WireFrame.u16(UInt16(payload.count - 256)) + block + [payload[0]]
    }

    func expand(_ bytes: borrowing RawSpan, into output: inout [UInt8], from offset: Int) throws(CompressionFailure) {
        let frame = bytes.copied()
        let payload = [UInt8](repeating: frame.last ?? 0, count: output.count - offset)
        guard compress(payload) == frame else { throw CompressionFailure("no such frame") }
        output.replaceSubrange(offset..., with: payload)
    }
}

@Suite struct NativeTraitVectorTests {
    let vectors: NativeVectors

    init() throws { vectors = try NativeVectors.read() }

    private static func compressing(_ configuration: inout NativeConfiguration) { configuration.compression = CompressionOptions(RunsOfZstandard()) }
    private static let offering = HandGreeting.hello.with(2, WireFrame.u64(8))

    @Test func `compressed requests are as written, in one frame and in two`() throws {
        for name in ["compressed-request", "compressed-request-in-chunks"] {
            let vector = try #require(vectors[name])
            let request = try #require(vector.meaning.request)
            let payload = try #require(request.payloadRun).bytes
            var client = MachineEnd.openClient(welcome: Self.offering, Self.compressing)
            client.call(request.method, payload)
            if name == "compressed-request" { #expect(client.takeAll() == vector.bytes) }
            var service = MachineEnd.openService(hello: Self.offering, Self.compressing)
            service.receive(vector.bytes)
            #expect(service.requests == [RecordedRequest(call: 1, method: request.method, payload: payload)])
        }
    }

    @Test func `a compressed response is as written`() throws {
        let vector = try #require(vectors["compressed-response"])
        let payload = try #require(vector.meaning.payloadRun).bytes
        var pair = MachinePair.connected(client: Self.compressing, service: Self.compressing)
        let call = pair.client.call()
        pair.settle()
        pair.service.submit(.reply(call: 1, codec: .raw, payload: payload))
        #expect(framesWaiting(at: pair.service).flatMap(\.encoded) == vector.bytes)
        pair.client.receive(vector.bytes)
        #expect(call.reply == payload)
    }

    @Test func `a HELLO with keys is as written`() throws {
        let vector = try #require(vectors["hello-with-keys"])
        let meaning = try #require(vector.meaning.greeting)
        var expected = Greeting(meaning.configuration)
        expected.features = [.compression, .encryption]
        expected.encryption = EncryptionOffer(
            publicKey: NativeVectors.bytes(try #require(meaning.publicKey)), challenge: NativeVectors.bytes(try #require(meaning.challenge)),
            longTermKey: NativeVectors.bytes(try #require(meaning.longTermKey)))
        let payload = Array(vector.bytes.dropFirst(FrameHeader.size))
        #expect(try Greeting(payload.span.bytes) == expected)
        #expect(expected.encoded == payload)
    }
}
