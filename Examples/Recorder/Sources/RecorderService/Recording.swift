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
    /// Makes one moving PNG of the pictures in a file; how many there were. A picture that is incomplete at the end, as a full disk leaves it, is left out. The source is not held in memory.
    @discardableResult
    static func animate(_ source: String, into target: String) throws -> Int {
        let bytes = try Data(contentsOf: URL(fileURLWithPath: source), options: .alwaysMapped)
        var count = 0
        var first: (width: Int, height: Int)?
        forEachPicture(in: bytes) { width, height, _ in
            first = first ?? (width, height)
            count += 1
        }
        guard let (width, height) = first else { throw RecorderError("\(source) holds no picture") }
        let unfinished = target + ".part"
        guard FileManager.default.createFile(atPath: unfinished, contents: nil, attributes: [.posixPermissions: 0o600]), let output = FileHandle(forWritingAtPath: unfinished)
        else { throw RecorderError("The recording cannot be written to \(unfinished)") }
        do {
            try output.write(contentsOf: PNG.animationHead(width: width, height: height, frames: count))
            var sequence = 0
            try forEachPicture(in: bytes) { width, height, data in
                try output.write(contentsOf: PNG.animationFrame(width: width, height: height, data: data, sequence: &sequence))
            }
            try output.write(contentsOf: PNG.animationEnd)
            try output.close()
            try FileManager.default.moveItem(atPath: unfinished, toPath: target)
        } catch {
            try? FileManager.default.removeItem(atPath: unfinished)
            throw error
        }
        return count
    }

    private static func forEachPicture(in bytes: Data, _ body: (_ width: Int, _ height: Int, _ data: Data) throws -> Void) rethrows {
        var rest = bytes
        while let picture = PNG.contents(of: rest) {
            try body(picture.width, picture.height, picture.data)
            rest = rest[picture.end...]
        }
    }
}

extension Duration {
    /// Whole frames of the test pattern.
    var frames: Int {
        let (seconds, attoseconds) = components
        return Int(seconds) * Desktop.framesPerSecond + Int(attoseconds / (1_000_000_000_000_000_000 / Int64(Desktop.framesPerSecond)))
    }
}
