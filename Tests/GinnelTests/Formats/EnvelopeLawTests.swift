// Payloads of the fourteen messages as nobody means them.

import Foundation
import GinnelTesting
import Testing

@Suite(.timeLimit(.minutes(5))) struct EnvelopeLawTests {
    /// What fuzzing has found worth keeping.
    private static func corpus() throws -> [[UInt8]] {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../../Fuzz/Corpus/envelope-messages")
        return try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil).sorted { $0.path < $1.path }.map { [UInt8](try Data(contentsOf: $0)) }
    }

    @Test func `whatever was found worth keeping is refused, or read and written and read as the same`() throws {
        let corpus = try Self.corpus()
        #expect(corpus.count > 50)
        for bytes in corpus { #expect(EnvelopeLaw.problem(with: bytes) == nil, "\(String(decoding: bytes, as: UTF8.self))") }
    }

    @Test func `so is each of them with a few bytes changed`() throws {
        var random = SplitMix64(seed: 14)
        let corpus = try Self.corpus().filter { !$0.isEmpty }
        for round in 0..<3000 {
            var bytes = corpus[round % corpus.count]
            for _ in 0...random.number(in: 0...2) {
                let place = random.number(in: 0...bytes.count - 1)
                bytes[place] = random.oneIn(2) ? random.bytes(1)[0] : Array("0123456789-.eE\"{}[]:,tnu\\".utf8)[random.number(in: 0...24)]
            }
            #expect(EnvelopeLaw.problem(with: bytes) == nil, "\(bytes)")
        }
    }
}
