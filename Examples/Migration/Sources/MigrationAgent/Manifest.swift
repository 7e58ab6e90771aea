// What has been copied, with its hash: a line for each file, written when the file is complete. A run that is cut off leaves a list of what need not be copied again, and a line that
// says that it was begun; the line that says that it has ended is written when the service knows of it.

import Foundation

struct Manifest {
    struct Entry: Codable, Equatable {
        var path: String
        var size: Int
        /// Of the source, in seconds since 1970.
        var modified: Double
        var sha256: String
    }

    private struct Mark: Codable {
        var state: String
        var categories: [String]?
    }

    /// Beside the copies.
    static let name = "manifest.jsonl"
    private static let begun = "begun"
    private static let ended = "ended"

    let file: URL
    private(set) var entries: [String: Entry] = [:]
    /// The categories of a backup that was begun and has not ended.
    private(set) var unfinished: [String]?

    /// Makes the directory where there is none, and reads what an earlier run has left. A last line that was cut off counts for nothing.
    init(in directory: URL) throws {
        try Backup.makeFolder(directory)
        file = directory.appendingPathComponent(Self.name)
        guard let text = try? Data(contentsOf: file) else { return }
        for line in text.split(separator: UInt8(ascii: "\n")) {
            if let entry = try? JSONDecoder().decode(Entry.self, from: Data(line)) {
                entries[entry.path] = entry
            } else if let mark = try? JSONDecoder().decode(Mark.self, from: Data(line)) {
                unfinished = mark.state == Self.begun ? mark.categories : nil
            }
        }
        if text.last != UInt8(ascii: "\n"), !text.isEmpty { try append(Data("\n".utf8)) }
    }

    /// Whether this very file was copied, and is there.
    func has(_ path: String, size: Int, modified: Double, at target: URL) -> Bool {
        guard let entry = entries[path], entry.size == size, entry.modified == modified else { return false }
        return (try? FileManager.default.attributesOfItem(atPath: target.path)[.size] as? Int) == size
    }

    mutating func add(_ entry: Entry) throws {
        try append(line: entry)
        entries[entry.path] = entry
    }

    mutating func begin(_ categories: [String]) throws {
        try append(line: Mark(state: Self.begun, categories: categories))
        unfinished = categories
    }

    mutating func end() throws {
        try append(line: Mark(state: Self.ended))
        unfinished = nil
    }

    private func append(line: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        try append(try encoder.encode(line) + Data("\n".utf8))
    }

    private func append(_ data: Data) throws {
        if !FileManager.default.fileExists(atPath: file.path) { _ = FileManager.default.createFile(atPath: file.path, contents: nil, attributes: [.posixPermissions: 0o600]) }
        let handle = try FileHandle(forWritingTo: file)
        defer { try? handle.close() }
        try handle.seekToEnd()
        try handle.write(contentsOf: data)
        try handle.synchronize()
    }
}
