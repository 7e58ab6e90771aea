// A compressor for tests that need to see what a machine does with one: runs of equal bytes, each as its length and the byte.

package import GinnelCore

package struct ToyCompressor: PayloadCompressor {
    package init() {}

    package func compress(_ payload: [UInt8]) -> [UInt8]? {
        var runs: [UInt8] = []
        var index = 0
        while index < payload.count {
            var length = 1
            while length < 255, index + length < payload.count, payload[index + length] == payload[index] { length += 1 }
            runs += [UInt8(length), payload[index]]
            index += length
        }
        return runs.count < payload.count ? runs : nil
    }

    package func expand(_ bytes: borrowing RawSpan, into output: inout [UInt8], from offset: Int) throws(CompressionFailure) {
        let runs = bytes.copied()
        var filled = offset
        for index in stride(from: 0, to: runs.count, by: 2) {
            guard index + 1 < runs.count, filled + Int(runs[index]) <= output.count else { throw CompressionFailure("more than was announced") }
            for place in filled..<filled + Int(runs[index]) { output[place] = runs[index + 1] }
            filled += Int(runs[index])
        }
        guard filled == output.count else { throw CompressionFailure("\(output.count - filled) bytes less than announced") }
    }
}
