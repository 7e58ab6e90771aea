import GinnelCore
import Testing

@Suite struct ChecksumTests {
    @Test func `the check values of the catalogue come out`() {
        let digits = Array("123456789".utf8)
        #expect(Checksum.ieee.value(of: digits.span.bytes) == 0xCBF4_3926)
        #expect(Checksum.castagnoli.value(of: digits.span.bytes) == 0xE306_9283)
        #expect(Checksum.ieee.value(of: [UInt8]().span.bytes) == 0)
        #expect(Checksum.castagnoli.value(of: [UInt8]().span.bytes) == 0)
    }

    /// RFC 3720 B.4.
    @Test(
        arguments: [
            ([UInt8](repeating: 0, count: 32), 0x8A91_36AA),
            ([UInt8](repeating: 0xFF, count: 32), 0x62A8_AB43),
            ([UInt8](0..<32), 0x46DD_794E),
            ([UInt8]((0..<32).reversed()), 0x113F_DB5C),
            (iSCSIRead, 0xD996_3A56),
        ] as [([UInt8], UInt32)])
    func `the vectors of iSCSI come out`(bytes: [UInt8], expected: UInt32) {
        #expect(Checksum.castagnoli.value(of: bytes.span.bytes) == expected)
        #expect(Checksum.castagnoli.valueByTable(of: bytes.span.bytes) == expected)
    }

    @Test(arguments: Checksum.allCases)
    func `instructions, tables and the definition agree at every length and alignment`(kind: Checksum) {
        var random = SeededRandom(seed: 1)
        let bytes = random.bytes(640)
        for length in 0...300 {
            for start in 0...15 {
                let span = bytes.span.bytes.extracting(start..<start + length)
                let seed = UInt32(truncatingIfNeeded: random.next())
                let expected = kind.bitByBit(span, continuing: seed)
                guard kind.value(of: span, continuing: seed) == expected, kind.valueByTable(of: span, continuing: seed) == expected else {
                    Issue.record("length \(length), alignment \(start), continuing \(seed)")
                    return
                }
            }
        }
    }

    @Test(arguments: Checksum.allCases)
    func `instructions and tables agree on long inputs`(kind: Checksum) {
        var random = SeededRandom(seed: 2)
        for _ in 0..<40 {
            let bytes = random.bytes(300 + Int(random.next() % 70_000))
            #expect(kind.value(of: bytes.span.bytes) == kind.valueByTable(of: bytes.span.bytes), "\(bytes.count) bytes")
        }
    }

    @Test(arguments: Checksum.allCases)
    func `a checksum continues from wherever the input was cut`(kind: Checksum) {
        var random = SeededRandom(seed: 3)
        let bytes = random.bytes(700)
        let whole = kind.value(of: bytes.span.bytes)
        for cut in 0...bytes.count {
            let first = kind.value(of: bytes.span.bytes.extracting(0..<cut))
            #expect(kind.value(of: bytes.span.bytes.extracting(cut..<bytes.count), continuing: first) == whole, "cut at \(cut)")
        }
    }

    @Test(arguments: Checksum.allCases)
    func `every single flipped bit is noticed`(kind: Checksum) {
        var bytes = [UInt8](repeating: 0x5A, count: 100)
        let whole = kind.value(of: bytes.span.bytes)
        for bit in 0..<800 {
            bytes[bit / 8] ^= 1 << (bit % 8)
            #expect(kind.value(of: bytes.span.bytes) != whole, "bit \(bit)")
            bytes[bit / 8] ^= 1 << (bit % 8)
        }
    }
}

/// The SCSI READ (10) command of RFC 3720 B.4.
private let iSCSIRead: [UInt8] = [
    0x01, 0xC0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x14, 0, 0, 0, 0, 0, 0x04, 0, 0, 0, 0, 0x14, 0, 0, 0, 0x18,
    0x28, 0, 0, 0, 0, 0, 0, 0, 0x02, 0, 0, 0, 0, 0, 0, 0,
]

extension Checksum {
    /// The definition, without any shortcut.
    fileprivate func bitByBit(_ bytes: borrowing RawSpan, continuing checksum: UInt32) -> UInt32 {
        let polynomial: UInt32 = self == .ieee ? 0xEDB8_8320 : 0x82F6_3B78
        return bytes.withUnsafeBytes { buffer in
            ~buffer.reduce(~checksum) { state, byte in
                (0..<8).reduce(state ^ UInt32(byte)) { state, _ in state >> 1 ^ (state & 1 == 1 ? polynomial : 0) }
            }
        }
    }
}
