// A picture in memory: one byte a pixel, an index into the palette.

struct Color: Equatable, Sendable {
    var red: UInt8
    var green: UInt8
    var blue: UInt8
}

struct Picture: Equatable, Sendable {
    let width: Int
    let height: Int
    private(set) var pixels: [UInt8]

    init(width: Int, height: Int, _ color: UInt8 = 0) {
        (self.width, self.height) = (width, height)
        pixels = [UInt8](repeating: color, count: width * height)
    }

    subscript(x: Int, y: Int) -> UInt8 { pixels[y * width + x] }

    /// Fills a rectangle, as far as it lies inside.
    mutating func fill(_ area: Rectangle, _ color: UInt8) {
        let area = area.intersection(Rectangle(x: 0, y: 0, width: width, height: height))
        guard !area.isEmpty else { return }
        pixels.withUnsafeMutableBufferPointer { pixels in
            for y in area.y..<area.y + area.height { pixels[y * width + area.x..<y * width + area.x + area.width].update(repeating: color) }
        }
    }

    /// The edge of a rectangle, `thickness` wide.
    mutating func frame(_ area: Rectangle, thickness: Int, _ color: UInt8) {
        fill(Rectangle(x: area.x, y: area.y, width: area.width, height: thickness), color)
        fill(Rectangle(x: area.x, y: area.y + area.height - thickness, width: area.width, height: thickness), color)
        fill(Rectangle(x: area.x, y: area.y, width: thickness, height: area.height), color)
        fill(Rectangle(x: area.x + area.width - thickness, y: area.y, width: thickness, height: area.height), color)
    }

    /// What lies in a rectangle; what of it lies outside of the picture is of color 0.
    func cropped(to area: Rectangle) -> Picture {
        var cut = Picture(width: area.width, height: area.height)
        let inside = area.intersection(Rectangle(x: 0, y: 0, width: width, height: height))
        guard !inside.isEmpty else { return cut }
        for y in inside.y..<inside.y + inside.height {
            let start = y * width + inside.x
            let target = (y - area.y) * area.width + inside.x - area.x
            cut.pixels.replaceSubrange(target..<target + inside.width, with: pixels[start..<start + inside.width])
        }
        return cut
    }

    /// The same, so small that it fits, with its proportions; never larger than it was.
    func fitting(width maximumWidth: Int, height maximumHeight: Int) -> Picture {
        guard width > maximumWidth || height > maximumHeight else { return self }
        let byWidth = width * maximumHeight > height * maximumWidth
        let newWidth = byWidth ? maximumWidth : max(1, width * maximumHeight / height)
        let newHeight = byWidth ? max(1, height * maximumWidth / width) : maximumHeight
        var small = Picture(width: newWidth, height: newHeight)
        for y in 0..<newHeight {
            for x in 0..<newWidth { small.pixels[y * newWidth + x] = self[x * width / newWidth, y * height / newHeight] }
        }
        return small
    }
}

/// A rectangle of pixels.
struct Rectangle: Equatable, Sendable {
    var x: Int
    var y: Int
    var width: Int
    var height: Int

    var isEmpty: Bool { width <= 0 || height <= 0 }

    func intersection(_ other: Rectangle) -> Rectangle {
        let left = max(x, other.x)
        let top = max(y, other.y)
        return Rectangle(x: left, y: top, width: min(x + width, other.x + other.width) - left, height: min(y + height, other.y + other.height) - top)
    }

    func moved(x dx: Int, y dy: Int) -> Rectangle { Rectangle(x: x + dx, y: y + dy, width: width, height: height) }
}

/// The colors of the test pattern: black, eight bars, a highlight, and from 16 on shades of gray.
enum Palette {
    static let highlight: UInt8 = 9
    static let background: UInt8 = 64

    static let colors: [Color] = {
        let bars: [Color] = [
            Color(red: 0, green: 0, blue: 0), Color(red: 235, green: 235, blue: 235), Color(red: 235, green: 235, blue: 16),
            Color(red: 16, green: 235, blue: 235), Color(red: 16, green: 235, blue: 16), Color(red: 235, green: 16, blue: 235),
            Color(red: 235, green: 16, blue: 16), Color(red: 16, green: 16, blue: 235), Color(red: 64, green: 64, blue: 64),
            Color(red: 255, green: 128, blue: 0),
        ]
        return (0..<256).map { index in
            let gray = UInt8(index)
            return index < bars.count ? bars[index] : Color(red: gray, green: gray, blue: gray)
        }
    }()
}
