// Where recordings go. The path comes from a command line or an environment and is looked at before anything is made there.

import Foundation

struct OutputDirectory: Sendable, Equatable {
    let path: String

    static let maximumLength = 4096

    /// - Throws: `RecorderError` unless the path is absolute, without `..` and NUL, at most 4,096 bytes long, and inside of the home or the temporary directory.
    init(checking path: String, home: String = NSHomeDirectory(), temporary: String = NSTemporaryDirectory()) throws(RecorderError) {
        guard path.utf8.count <= Self.maximumLength else { throw RecorderError("The output directory's path is longer than \(Self.maximumLength) bytes") }
        guard !path.utf8.contains(0) else { throw RecorderError("The output directory's path holds a NUL") }
        guard path.hasPrefix("/") || path.dropFirst().hasPrefix(":\\") else { throw RecorderError("The output directory's path is not absolute: \(path)") }
        let parts = Self.parts(path)
        guard !parts.contains("..") else { throw RecorderError("The output directory's path holds \"..\": \(path)") }
        let roots = [home, temporary, "/tmp"].map(Self.parts)
        guard roots.contains(where: { !$0.isEmpty && parts.starts(with: $0) }) else {
            throw RecorderError("The output directory lies neither in the home nor in the temporary directory: \(path)")
        }
        self.path = path
    }

    private static func parts(_ path: String) -> [Substring] { path.split(whereSeparator: { $0 == "/" || $0 == "\\" }).filter { $0 != "." } }

    /// A name that no file there has, without an extension.
    func newRecording(at date: Date) throws -> String {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        let stem = "\(path)/recording-\(Int(date.timeIntervalSince1970))"
        for number in 1...1000 {
            let name = number == 1 ? stem : "\(stem)-\(number)"
            if ["frames", "png"].allSatisfy({ !FileManager.default.fileExists(atPath: "\(name).\($0)") }) { return name }
        }
        throw RecorderError("There are too many recordings of this second in \(path)")
    }
}

/// Why the recorder does not do what it is asked to, for the one who asks.
struct RecorderError: Error, Equatable, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
