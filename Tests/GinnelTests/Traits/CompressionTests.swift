// Compression with the real library: what arrives, what leaves, and frames of zstd that lie.

#if Compression
import GinnelTesting
import Testing

@testable import Ginnel
@testable import GinnelCore

@Suite(.serialized, .ownThread, .timeLimit(.minutes(5))) struct CompressionTests {
    private static let text = Array(repeating: Array("A ginnel is a narrow passage between two houses. ".utf8), count: 4000).flatMap { $0 }

    private static func pair(_ change: (inout CompressionOptions) -> Void = { _ in }) -> MachinePair {
        var configuration = NativeConfiguration(identity: Identity(high: 1, low: 2))
        var options = Compression.zstd().options
        change(&options)
        configuration.compression = options
        var pair = MachinePair(client: configuration, service: configuration)
        pair.connect()
        return pair
    }

    @Test(arguments: [1, 3, 19]) func `text travels in a fraction of its bytes, at any level`(level: Int) {
        var pair = Self.pair { $0.compressor = Zstandard(level: Int32(level)) }
        let call = pair.client.call("m", Self.text)
        pair.client.produce()
        #expect(pair.client.sent.count < Self.text.count / 50)
        pair.settle()
        #expect(pair.service.requests.map(\.payload) == [Self.text])
        pair.service.submit(.reply(call: 1, codec: .json, payload: Self.text))
        pair.settle()
        #expect(call.reply == Self.text)
    }

    @Test func `noise leaves as it is`() {
        let noise = ChannelEnd.pattern(100_000, seed: 3)
        #expect(Zstandard(level: 1).compress(noise) == nil)
        #expect(Zstandard(level: 1).compress([]) == nil)
    }

    // MARK: Frames that lie

    private static func problem(_ frame: [UInt8], announced: Int) -> String? {
        var output = [UInt8](repeating: 0xEE, count: 3 + announced)
        do throws(CompressionFailure) {
            try Zstandard(level: 1).expand(frame.span.bytes, into: &output, from: 3)
            #expect(output[..<3] == [0xEE, 0xEE, 0xEE])
            return nil
        } catch {
            #expect(output.count == 3 + announced)
            return error.sentence
        }
    }

    @Test func `a frame expands to exactly what was announced or not at all`() throws {
        let frame = try #require(Zstandard(level: 1).compress(Self.text))
        #expect(Self.problem(frame, announced: Self.text.count) == nil)
        for announced in [0, 1, Self.text.count - 1, Self.text.count + 1, 1 << 20] { #expect(Self.problem(frame, announced: announced)?.contains("content size") == true) }
    }

    @Test func `what is no frame, half a frame, two frames or a damaged frame is refused`() throws {
        let frame = try #require(Zstandard(level: 1).compress(Self.text))
        #expect(Self.problem([], announced: 10) != nil)
        #expect(Self.problem([1, 2, 3, 4], announced: 10) != nil)
        #expect(Self.problem(frame + frame, announced: Self.text.count) != nil)
        #expect(Self.problem(frame + [0], announced: Self.text.count) != nil)
        for count in 0..<frame.count { #expect(Self.problem(Array(frame[..<count]), announced: Self.text.count) != nil) }
        for index in frame.indices {
            var damaged = frame
            damaged[index] ^= 0x5A
            // Some changes make another valid frame, of just as many bytes: then it is the program's to notice. None reads or writes beyond.
            _ = Self.problem(damaged, announced: Self.text.count)
        }
    }

    @Test func `a frame that says it holds a gigabyte is not expanded`() {
        // A single segment with a content size of eight bytes, 2³⁰, and a run of one byte.
        let frame: [UInt8] = [0x28, 0xB5, 0x2F, 0xFD, 0xE0, 0, 0, 0, 0x40, 0, 0, 0, 0, 0x03, 0x00, 0x10, 0x61]
        #expect(Self.problem(frame, announced: 1000)?.contains("content size") == true)
        var service = Self.pair().service
        let body = WireFrame.u32(900_000) + WireFrame.requestBody("m", frame)
        service.receive(WireFrame(WireFrame.Kind.request, stream: 1, flags: 8, lane: 2, body).encoded)
        #expect(service.closed?.failure.code == .protocolViolation)
        #expect(service.requests.isEmpty)
    }

    // MARK: Programs

    @Test func `programs see the same bytes with it and without`() async throws {
        var configuration = ServiceConfiguration.defaults
        configuration.compression = .zstd()
        try await withRunning(configuration) { running in
            for compression in [Compression.zstd(), nil] {
                var client = ClientConfiguration.defaults
                client.compression = compression
                try await running.connect(client) { client in
                    for size in [0, 4095, 4096, 100_000, Self.text.count] {
                        #expect(try await client.call("echo", payload: Array(Self.text[..<size])).bytes == Array(Self.text[..<size]))
                        #expect(try await client.call("echo_async", payload: Array(Self.text[..<size])).bytes == Array(Self.text[..<size]))
                    }
                    var counted = 0
                    for try await item in try await client.open(Count(to: 200)) { counted += item.value }
                    #expect(counted == 199 * 100)
                }
            }
        }
    }
}
#endif
