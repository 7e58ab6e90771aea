// What has been copied, with its hash: a line for each file, written when the file is complete. A run that is cut off leaves a list of what need not be copied again.

import Foundation

struct Manifest {
    struct Entry: Codable, Equatable {
        var path: String
        var size: Int
        /// Of the source, in seconds since 1970.
        var modified: Double
        var sha256: String
    }

    let file: URL
    private(set) var entries: [String: Entry] = [:]

    /// Reads what an earlier run has left. A last line that was cut off counts for nothing.
    init(in directory: URL) throws {
        file = directory.appendingPathComponent("manifest.jsonl")
        guard let text = try? Data(contentsOf: file) else { return }
        for line in text.split(separator: UInt8(ascii: "\n")) {
            if let entry = try? JSONDecoder().decode(Entry.self, from: Data(line)) { entries[entry.path] = entry }
        }
        if text.last != UInt8(ascii: "\n"), !text.isEmpty { try append(Data("\n".utf8)) }
    }

    /// Whether this very file was copied, and is there.
    func has(_ path: String, size: Int, modified: Double, at target: URL) -> Bool {
        guard let entry = entries[path], entry.size == size, entry.modified == modified else { return false }
        return (try? FileManager.default.attributesOfItem(atPath: target.path)[.size] as? Int) == size
    }

    mutating func add(_ entry: Entry) throws {
        entries[entry.path] = entry
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        try append(try encoder.encode(entry) + Data("\n".utf8))
    }

    private func append(_ data: Data) throws {
        if !FileManager.default.fileExists(atPath: file.path) { _ = FileManager.default.createFile(atPath: file.path, contents: nil) }
        let handle = try FileHandle(forWritingTo: file)
        defer { try? handle.close() }
        try handle.seekToEnd()
        try handle.write(contentsOf: data)
        try handle.synchronize()
    }
}
