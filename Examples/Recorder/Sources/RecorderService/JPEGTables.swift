// The numbers of a baseline JPEG that the standard gives as examples (ITU-T T.81, annex K), and that nearly all files have.

import Foundation

enum JPEGTables {
    /// Where the frequencies stand in a square, in the order in which they are written: from low to high.
    static let zigzag: [Int] = (0..<15).flatMap { diagonal in
        let places = (max(0, diagonal - 7)...min(7, diagonal)).map { $0 * 8 + diagonal - $0 }
        return diagonal % 2 == 0 ? places.reversed() : places
    }

    /// By what the frequencies of brightness are divided at quality 50, in the order of `zigzag`.
    static let luminance = [
        16, 11, 12, 14, 12, 10, 16, 14, 13, 14, 18, 17, 16, 19, 24, 40, 26, 24, 22, 22, 24, 49, 35, 37, 29, 40, 58, 51, 61, 60, 57, 51, 56, 55, 64, 72, 92,
        78, 64, 68, 87, 69, 55, 56, 80, 109, 81, 87, 95, 98, 103, 104, 103, 62, 77, 113, 121, 112, 100, 120, 92, 101, 103, 99,
    ]
    /// The same for color.
    static let chrominance =
        [
            17, 18, 18, 24, 21, 24, 47, 26, 26, 47, 99, 66, 56, 66,
        ] + [Int](repeating: 99, count: 50)

    /// Half the cosine of so many sixteenths of half a turn.
    static let cosines: [Float] = (0..<8).map { Float(cos(Double($0) * .pi / 16) / 2) }

    /// The palette as brightness, which is 0 in the middle, and how much more blue and red a color has than that.
    static let colors: [(brightness: Float, blue: Float, red: Float)] = Palette.colors.map { color in
        let (red, green, blue) = (Float(color.red), Float(color.green), Float(color.blue))
        return (
            0.299 * red + 0.587 * green + 0.114 * blue - 128, -0.168736 * red - 0.331264 * green + 0.5 * blue, 0.5 * red - 0.418688 * green - 0.081312 * blue
        )
    }

    struct Bits {
        let value: UInt16
        let count: Int
    }

    /// A code in which what is frequent is short.
    struct Code {
        let id: UInt8
        /// How many symbols have codes of 1 bit, of 2 bits, and so on.
        let counts: [UInt8]
        let symbols: [UInt8]
        private let bits: [Bits]

        /// Symbols in hexadecimal digits.
        init(id: UInt8, counts: [UInt8], symbols: String) {
            self.id = id
            self.counts = counts
            self.symbols = symbols.split(whereSeparator: \.isWhitespace).compactMap { UInt8($0, radix: 16) }
            var bits = [Bits](repeating: Bits(value: 0, count: 0), count: 256)
            var (next, index): (UInt16, Int) = (0, 0)
            for (length, count) in counts.enumerated() {
                for _ in 0..<count {
                    bits[Int(self.symbols[index])] = Bits(value: next, count: length + 1)
                    next += 1
                    index += 1
                }
                next <<= 1
            }
            self.bits = bits
        }

        subscript(symbol: UInt8) -> Bits { bits[Int(symbol)] }
    }

    /// Of brightness the first frequency and the others, and the same of color.
    static let codes = [
        Code(
            id: 0x00, counts: [0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0],
            symbols: """
                00 01 02 03 04 05 06 07 08 09 0a 0b
                """),
        Code(
            id: 0x10, counts: [0, 2, 1, 3, 3, 2, 4, 3, 5, 5, 4, 4, 0, 0, 1, 125],
            symbols: """
                01 02 03 00 04 11 05 12 21 31 41 06 13 51 61 07 22 71 14 32 81 91 a1 08 23 42 b1 c1 15 52 d1 f0 24 33 62 72 82 09 0a 16 17 18 19 1a 25 26 27
                28 29 2a 34 35 36 37 38 39 3a 43 44 45 46 47 48 49 4a 53 54 55 56 57 58 59 5a 63 64 65 66 67 68 69 6a 73 74 75 76 77 78 79 7a 83 84 85 86 87
                88 89 8a 92 93 94 95 96 97 98 99 9a a2 a3 a4 a5 a6 a7 a8 a9 aa b2 b3 b4 b5 b6 b7 b8 b9 ba c2 c3 c4 c5 c6 c7 c8 c9 ca d2 d3 d4 d5 d6 d7 d8 d9
                da e1 e2 e3 e4 e5 e6 e7 e8 e9 ea f1 f2 f3 f4 f5 f6 f7 f8 f9 fa
                """),
        Code(
            id: 0x01, counts: [0, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0],
            symbols: """
                00 01 02 03 04 05 06 07 08 09 0a 0b
                """),
        Code(
            id: 0x11, counts: [0, 2, 1, 2, 4, 4, 3, 4, 7, 5, 4, 4, 0, 1, 2, 119],
            symbols: """
                00 01 02 03 11 04 05 21 31 06 12 41 51 07 61 71 13 22 32 81 08 14 42 91 a1 b1 c1 09 23 33 52 f0 15 62 72 d1 0a 16 24 34 e1 25 f1 17 18 19 1a
                26 27 28 29 2a 35 36 37 38 39 3a 43 44 45 46 47 48 49 4a 53 54 55 56 57 58 59 5a 63 64 65 66 67 68 69 6a 73 74 75 76 77 78 79 7a 82 83 84 85
                86 87 88 89 8a 92 93 94 95 96 97 98 99 9a a2 a3 a4 a5 a6 a7 a8 a9 aa b2 b3 b4 b5 b6 b7 b8 b9 ba c2 c3 c4 c5 c6 c7 c8 c9 ca d2 d3 d4 d5 d6 d7
                d8 d9 da e2 e3 e4 e5 e6 e7 e8 e9 ea f2 f3 f4 f5 f6 f7 f8 f9 fa
                """),
    ]
}
