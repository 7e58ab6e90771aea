// JPEG files: baseline, three components at full resolution, the example tables of the standard (ITU-T T.81, annex K).
//
// A picture is cut into squares of 8 × 8 pixels. Each is turned into frequencies, those are divided by a table, which is where it gets smaller and worse, and what remains, mostly zeros, is
// written in a code in which what is frequent is short.

struct JPEG {
    private var bits = BitWriter()
    private let luminance: [Int]
    private let chrominance: [Int]

    /// `quality`: 1 to 100.
    static func file(_ picture: Picture, quality: Int) -> [UInt8] {
        var encoder = JPEG(quality: quality)
        let head = encoder.head(width: picture.width, height: picture.height)
        return head + encoder.scan(picture) + [0xFF, 0xD9]
    }

    private init(quality: Int) {
        let scale = quality < 50 ? 5000 / max(1, quality) : 200 - 2 * min(100, quality)
        func scaled(_ table: [Int]) -> [Int] { table.map { min(255, max(1, ($0 * scale + 50) / 100)) } }
        luminance = scaled(JPEGTables.luminance)
        chrominance = scaled(JPEGTables.chrominance)
    }

    private func head(width: Int, height: Int) -> [UInt8] {
        func segment(_ marker: UInt8, _ body: [UInt8]) -> [UInt8] { [0xFF, marker] + word(body.count + 2) + body }
        func word(_ number: Int) -> [UInt8] { [UInt8(number >> 8 & 255), UInt8(number & 255)] }
        func quantization(_ id: UInt8, _ table: [Int]) -> [UInt8] { [id] + table.map { UInt8($0) } }
        let jfif = segment(0xE0, Array("JFIF".utf8) + [0, 1, 1, 0, 0, 1, 0, 1, 0, 0])
        let tables = segment(0xDB, quantization(0, luminance)) + segment(0xDB, quantization(1, chrominance))
        // Eight bits; component, sampling, table.
        let frame = segment(0xC0, [8] + word(height) + word(width) + [3, 1, 0x11, 0, 2, 0x11, 1, 3, 0x11, 1])
        let codes = JPEGTables.codes.flatMap { segment(0xC4, [$0.id] + $0.counts + $0.symbols) }
        let scan = segment(0xDA, [3, 1, 0x00, 2, 0x11, 3, 0x11, 0, 63, 0])
        return [0xFF, 0xD8] + jfif + tables + frame + codes + scan
    }

    private mutating func scan(_ picture: Picture) -> [UInt8] {
        var previous = [0, 0, 0]
        for top in stride(from: 0, to: picture.height, by: 8) {
            for left in stride(from: 0, to: picture.width, by: 8) {
                for (component, square) in Self.squares(picture, left, top).enumerated() {
                    let isLuminance = component == 0
                    let values = Self.frequencies(square, isLuminance ? luminance : chrominance)
                    write(values, &previous[component], JPEGTables.codes[isLuminance ? 0 : 2], JPEGTables.codes[isLuminance ? 1 : 3])
                }
            }
        }
        return bits.finished()
    }

    /// Brightness and the two differences of color of one square. At the edges the last pixel is repeated.
    private static func squares(_ picture: Picture, _ left: Int, _ top: Int) -> [[Float]] {
        var squares = [[Float]](repeating: [Float](repeating: 0, count: 64), count: 3)
        for y in 0..<8 {
            for x in 0..<8 {
                let color = JPEGTables.colors[Int(picture[min(left + x, picture.width - 1), min(top + y, picture.height - 1)])]
                squares[0][y * 8 + x] = color.brightness
                squares[1][y * 8 + x] = color.blue
                squares[2][y * 8 + x] = color.red
            }
        }
        return squares
    }

    /// The cosine transform, rows first and then columns, divided by the table, in the order in which it is written.
    private static func frequencies(_ square: [Float], _ table: [Int]) -> [Int] {
        var square = square
        for row in 0..<8 { transform(&square, from: row * 8, step: 1) }
        for column in 0..<8 { transform(&square, from: column, step: 8) }
        return zip(JPEGTables.zigzag, table).map { Int((square[$0] / Float($1)).rounded()) }
    }

    /// The cosine transform of eight values, in place. What is symmetric about the middle has the even frequencies alone, and what changes its sign there the odd ones.
    private static func transform(_ values: inout [Float], from start: Int, step: Int) {
        let (one, two, three) = (JPEGTables.cosines[1], JPEGTables.cosines[2], JPEGTables.cosines[3])
        let (four, five, six, seven) = (JPEGTables.cosines[4], JPEGTables.cosines[5], JPEGTables.cosines[6], JPEGTables.cosines[7])
        func pair(_ place: Int) -> (sum: Float, difference: Float) {
            let (first, second) = (values[start + place * step], values[start + (7 - place) * step])
            return (first + second, first - second)
        }
        let (outer, second, third, inner) = (pair(0), pair(1), pair(2), pair(3))
        let (edges, middle) = (outer.sum + inner.sum, second.sum + third.sum)
        let (edgesApart, middleApart) = (outer.sum - inner.sum, second.sum - third.sum)
        let (a, b, c, d) = (outer.difference, second.difference, third.difference, inner.difference)
        values[start] = (edges + middle) * four
        values[start + 4 * step] = (edges - middle) * four
        values[start + 2 * step] = edgesApart * two + middleApart * six
        values[start + 6 * step] = edgesApart * six - middleApart * two
        values[start + step] = a * one + b * three + c * five + d * seven
        values[start + 3 * step] = a * three - b * seven - c * one - d * five
        values[start + 5 * step] = a * five - b * one + c * seven + d * three
        values[start + 7 * step] = a * seven - b * five + c * three - d * one
    }

    private mutating func write(_ values: [Int], _ previous: inout Int, _ steady: JPEGTables.Code, _ varying: JPEGTables.Code) {
        let difference = values[0] - previous
        previous = values[0]
        let size = Self.size(difference)
        bits.append(steady[UInt8(size)])
        bits.append(difference, size: size)
        var zeros = 0
        for value in values.dropFirst() {
            guard value != 0 else {
                zeros += 1
                continue
            }
            while zeros > 15 {
                bits.append(varying[0xF0])
                zeros -= 16
            }
            let size = Self.size(value)
            bits.append(varying[UInt8(zeros << 4 | size)])
            bits.append(value, size: size)
            zeros = 0
        }
        if zeros > 0 { bits.append(varying[0]) }
    }

    /// How many bits a value takes.
    private static func size(_ value: Int) -> Int { Int.bitWidth - value.magnitude.leadingZeroBitCount }
}

/// Writes bits, most significant first. A byte of ones is followed by one of zeros, so that it is not taken for a marker.
private struct BitWriter {
    private var bytes: [UInt8] = []
    private var held: UInt32 = 0
    private var count = 0

    mutating func append(_ code: JPEGTables.Bits) { append(UInt32(code.value), count: code.count) }

    /// A number of this size; a negative one is written as the number below it.
    mutating func append(_ value: Int, size: Int) {
        guard size > 0 else { return }
        append(UInt32(truncatingIfNeeded: value < 0 ? value - 1 : value) & (1 << size - 1), count: size)
    }

    private mutating func append(_ value: UInt32, count more: Int) {
        held = held << more | value
        count += more
        while count >= 8 {
            count -= 8
            let byte = UInt8(truncatingIfNeeded: held >> count)
            bytes.append(byte)
            if byte == 0xFF { bytes.append(0) }
        }
        held &= 1 << count - 1
    }

    /// Everything, the last byte filled with ones.
    mutating func finished() -> [UInt8] {
        if count > 0 { append(1 << (8 - count) - 1, count: 8 - count) }
        return bytes
    }
}
