// PNG files, and PNG files that move. A picture's bytes are kept as they are, in the blocks that deflate has for what is not compressed: small code, large files.

import Foundation
import Ginnel

enum PNG {
    private static let signature: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]

    // MARK: One picture

    static func file(_ picture: Picture) -> [UInt8] {
        signature + header(width: picture.width, height: picture.height) + palette + chunk("IDAT", compressed(picture)) + chunk("IEND", [])
    }

    /// The bytes of the picture in a file that `file` has made, still compressed, with its size; `nil` when they are not such a file.
    static func contents(of file: Data) -> (width: Int, height: Int, data: Data, end: Int)? {
        guard file.starts(with: signature) else { return nil }
        var offset = file.startIndex + signature.count
        var size: (Int, Int)?
        var data: Data?
        while offset + 12 <= file.endIndex {
            let length = number(in: file, at: offset)
            let body = offset + 8
            guard length <= file.endIndex - body - 4 else { return nil }
            switch String(decoding: file[offset + 4..<body], as: UTF8.self) {
            case "IHDR" where length == 13: size = (number(in: file, at: body), number(in: file, at: body + 4))
            case "IDAT": data = file[body..<body + length]
            case "IEND":
                guard let (width, height) = size, let data else { return nil }
                return (width, height, data, body + 4)
            default: break
            }
            offset = body + length + 4
        }
        return nil
    }

    // MARK: A moving one

    /// Everything before the first frame.
    static func animationHead(width: Int, height: Int, frames: Int) -> [UInt8] {
        signature + header(width: width, height: height) + palette + chunk("acTL", bytes(frames) + bytes(0))
    }

    /// A frame that is shown for a tenth of a second. `data` is compressed; `sequence` counts on by one for the first frame and by two for each further one.
    static func animationFrame(width: Int, height: Int, data: Data, sequence: inout Int) -> [UInt8] {
        let isFirst = sequence == 0
        let place = bytes(sequence) + bytes(width) + bytes(height) + bytes(0) + bytes(0)
        let time: [UInt8] = [0, 1, 0, UInt8(Desktop.framesPerSecond), 0, 0]
        sequence += 1
        let control = chunk("fcTL", place + time)
        // The first frame is what programs show that know nothing of moving pictures.
        if isFirst { return control + chunk("IDAT", Array(data)) }
        defer { sequence += 1 }
        return control + chunk("fdAT", bytes(sequence) + data)
    }

    static let animationEnd = chunk("IEND", [])

    // MARK: Parts

    private static func header(width: Int, height: Int) -> [UInt8] {
        // Eight bits a pixel, indices into a palette, and the only kinds of compression, filtering and order there are.
        chunk("IHDR", bytes(width) + bytes(height) + [8, 3, 0, 0, 0])
    }

    private static let palette = chunk("PLTE", Palette.colors.flatMap { [$0.red, $0.green, $0.blue] })

    private static func chunk(_ name: String, _ body: [UInt8]) -> [UInt8] {
        let content = Array(name.utf8) + body
        return bytes(body.count) + content + bytes(Int(Checksum.ieee.value(of: content.span.bytes)))
    }

    /// A zlib stream of blocks that are stored as they are. Each line has a byte in front that says that it is not filtered.
    private static func compressed(_ picture: Picture) -> [UInt8] {
        var lines: [UInt8] = []
        lines.reserveCapacity((picture.width + 1) * picture.height)
        for y in 0..<picture.height {
            lines.append(0)
            lines += picture.pixels[y * picture.width..<(y + 1) * picture.width]
        }
        var stream: [UInt8] = [0x78, 0x01]
        var rest = lines[...]
        repeat {
            let block = rest.prefix(65_535)
            rest = rest.dropFirst(block.count)
            let (low, high) = (UInt8(block.count & 255), UInt8(block.count >> 8))
            stream += [rest.isEmpty ? 1 : 0, low, high, ~low, ~high]
            stream += block
        } while !rest.isEmpty
        return stream + bytes(Int(adler32(lines)))
    }

    /// What a zlib stream has in place of a CRC-32.
    static func adler32(_ bytes: [UInt8]) -> UInt32 {
        var (one, two): (UInt32, UInt32) = (1, 0)
        for byte in bytes {
            one = (one + UInt32(byte)) % 65_521
            two = (two + one) % 65_521
        }
        return two << 16 | one
    }

    private static func bytes(_ number: Int) -> [UInt8] { [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: number >> $0) } }

    private static func number(in bytes: Data, at offset: Int) -> Int { bytes[offset..<offset + 4].reduce(0) { $0 << 8 | Int($1) } }
}
