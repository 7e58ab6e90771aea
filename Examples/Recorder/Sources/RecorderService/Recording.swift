// One recording: PNG pictures one behind the other in a file, and afterwards, from that file, one PNG that moves.

import Foundation

/// What is recorded.
enum CaptureSource: Sendable, Equatable {
    case window(Int64)
    case display(String, Rectangle)
    /// The rectangle is counted from the desktop's corner.
    case region(String, Rectangle)

    func picture(_ desktop: Desktop, at frame: Int) -> Picture? {
        switch self {
        case .window(let handle): Desktop.window(handle).map { desktop.picture(of: $0, at: frame) }
        case .display(_, let area), .region(_, let area): desktop.picture(of: area, at: frame)
        }
    }
}

/// A recording that goes on.
struct Recording {
    let source: CaptureSource
    /// Without extension.
    let name: String
    let began: Duration
    private(set) var frames = 0
    /// Whole seconds that have been told of.
    var secondsTold: UInt64 = 0
    private let file: FileHandle

    var sourcePath: String { name + ".frames" }
    var finalPath: String { name + ".png" }

    init(_ source: CaptureSource, name: String, began: Duration) throws {
        (self.source, self.name, self.began) = (source, name, began)
        let path = name + ".frames"
        guard FileManager.default.createFile(atPath: path, contents: nil, attributes: [.posixPermissions: 0o600]), let file = FileHandle(forWritingAtPath: path) else {
            throw RecorderError("The recording cannot be written to \(path)")
        }
        self.file = file
    }

    /// Writes all frames that were due until now; the first is due at once.
    mutating func catchUp(_ desktop: Desktop, now: Duration) throws {
        let due = (now - began).frames + 1
        let firstFrame = began.frames
        while frames < due {
            guard let picture = source.picture(desktop, at: firstFrame + frames) else { return }
            try file.write(contentsOf: Data(PNG.file(picture)))
            frames += 1
        }
    }

    func seconds(at now: Duration) -> UInt64 { UInt64(max(0, (now - began).components.seconds)) }

    func close() throws { try file.close() }
}

enum Transcoder {
    /// Makes one moving PNG of the pictures in a file. How many there were.
    @discardableResult
    static func animate(_ source: String, into target: String) throws -> Int {
        let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: source), options: .mappedIfSafe))
        var pictures: [(width: Int, height: Int, data: ArraySlice<UInt8>)] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            guard let picture = PNG.contents(of: rest) else { throw RecorderError("\(source) is damaged behind picture \(pictures.count)") }
            pictures.append((picture.width, picture.height, picture.data))
            rest = rest[picture.end...]
        }
        guard let first = pictures.first else { throw RecorderError("\(source) holds no picture") }
        var output = PNG.animationHead(width: first.width, height: first.height, frames: pictures.count)
        var sequence = 0
        for picture in pictures { output += PNG.animationFrame(width: picture.width, height: picture.height, data: picture.data, sequence: &sequence) }
        try Data(output + PNG.animationEnd).write(to: URL(fileURLWithPath: target), options: .atomic)
        return pictures.count
    }
}

extension Duration {
    /// Whole frames of the test pattern.
    var frames: Int {
        let (seconds, attoseconds) = components
        return Int(seconds) * Desktop.framesPerSecond + Int(attoseconds / (1_000_000_000_000_000_000 / Int64(Desktop.framesPerSecond)))
    }
}
