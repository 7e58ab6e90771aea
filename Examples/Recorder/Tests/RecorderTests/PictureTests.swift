// Files of pictures, by what can be known of them without a decoder; Tests/Peers/recorder_picker.py gives them to Qt's.

import Foundation
import Testing

@testable import RecorderService

@Suite struct PictureTests {
    @Test func `the checksum of a zlib stream is that of its definition`() {
        #expect(PNG.adler32(Array("123456789".utf8)) == 0x091E_01DE)
        #expect(PNG.adler32([]) == 1)
    }

    @Test(arguments: [(1, 1), (7, 9), (320, 200), (300, 300)]) func `a PNG is as large as its lines, its blocks and its chunks`(width: Int, height: Int) throws {
        let file = PNG.file(Picture(width: width, height: height, 5))
        let contents = try #require(PNG.contents(of: Data(file)))
        #expect(contents.width == width && contents.height == height && contents.end == file.count)
        let lines = (width + 1) * height
        let blocks = (lines + 65_534) / 65_535
        #expect(contents.data.count == 2 + lines + 5 * blocks + 4)
    }

    @Test func `what is no PNG, or one that is cut off, is not taken for one`() {
        let file = PNG.file(Picture(width: 3, height: 3))
        for count in 0..<file.count { #expect(PNG.contents(of: Data(file[..<count])) == nil) }
        var lying = file
        lying.replaceSubrange(33..<37, with: [0xFF, 0xFF, 0xFF, 0xFF])
        #expect(PNG.contents(of: Data(lying)) == nil)
    }

    @Test func `a JPEG has its markers in order and no other in its data`() throws {
        let desktop = Desktop()
        let file = JPEG.file(desktop.picture(of: Rectangle(x: 0, y: 0, width: 301, height: 177), at: 3), quality: 75)
        #expect(file.prefix(2) == [0xFF, 0xD8] && file.suffix(2) == [0xFF, 0xD9])
        var offset = 2
        var markers: [UInt8] = []
        while markers.last != 0xDA {
            #expect(file[offset] == 0xFF)
            markers.append(file[offset + 1])
            offset += 2 + Int(file[offset + 2]) << 8 + Int(file[offset + 3])
        }
        #expect(markers == [0xE0, 0xDB, 0xDB, 0xC0, 0xC4, 0xC4, 0xC4, 0xC4, 0xDA])
        let data = file[offset..<file.count - 2]
        #expect(zip(data, data.dropFirst()).allSatisfy { $0 != 0xFF || $1 == 0 })
    }

    @Test func `a better JPEG is larger`() {
        let picture = Desktop().picture(of: Rectangle(x: 0, y: 0, width: 320, height: 200), at: 0)
        let sizes = [1, 25, 50, 75, 100].map { JPEG.file(picture, quality: $0).count }
        #expect(sizes == sizes.sorted() && Set(sizes).count == sizes.count)
        // As a thumbnail in base64 it has room in a message.
        #expect(sizes[3] * 4 / 3 < 60_000)
    }

    @Test(arguments: [(320, 200, 288, 180), (100, 50, 100, 50), (640, 100, 320, 50), (10, 2000, 1, 180), (3, 4, 3, 4)])
    func `a thumbnail keeps proportions and is never larger than the picture`(width: Int, height: Int, newWidth: Int, newHeight: Int) {
        let small = Picture(width: width, height: height, 9).fitting(width: 320, height: 180)
        #expect(small.width == newWidth && small.height == newHeight)
        #expect(small.pixels.allSatisfy { $0 == 9 })
    }

    @Test func `what is cut out is what was there, and black outside`() {
        var picture = Picture(width: 10, height: 10, 1)
        picture.fill(Rectangle(x: 4, y: 4, width: 100, height: 1), 2)
        picture.fill(Rectangle(x: -5, y: -5, width: 3, height: 3), 3)
        let cut = picture.cropped(to: Rectangle(x: 8, y: 3, width: 4, height: 2))
        #expect(cut.pixels == [1, 1, 0, 0, 2, 2, 0, 0])
        #expect(picture.cropped(to: Rectangle(x: 50, y: 0, width: 2, height: 1)).pixels == [0, 0])
    }
}
