import Foundation
import GinnelTesting
import Testing

/// What fuzzing has found worth keeping, replayed.
@Suite struct FuzzCorpusTests {
    private func corpus(of target: FuzzTarget, _ file: String = #filePath) throws -> [URL] {
        let folder = URL(fileURLWithPath: file).deletingLastPathComponent().appendingPathComponent("../../../Fuzz/Corpus/\(target.rawValue)")
        return try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil).sorted { $0.path < $1.path }
    }

    @Test(arguments: FuzzTarget.allCases)
    func `nothing is wrong with what the fuzzer left behind`(target: FuzzTarget) throws {
        let files = try corpus(of: target)
        #expect(files.count > 20)
        for file in files {
            let problem = target.problem(with: [UInt8](try Data(contentsOf: file)))
            #expect(problem == nil, "\(file.lastPathComponent)")
        }
    }

    @Test(arguments: FuzzTarget.allCases)
    func `nothing is wrong with bytes at random either`(target: FuzzTarget) {
        var random = SplitMix64(seed: 17)
        for round in 0..<100 {
            let bytes = random.bytes(random.number(in: 0...200))
            #expect(target.problem(with: bytes) == nil, "round \(round)")
        }
    }
}
