// Copies a directory to another, category by category (its first level), and can be cut off anywhere: complete files stand in the manifest, and a file that was cut off is taken up where it ends.

import Foundation

struct Backup {
    struct Item {
        let category: String
        /// Below the source.
        let path: String
        let size: Int
        let modified: Double
    }

    /// How far it has got.
    struct Progress {
        var category = ""
        var file = ""
        var bytes: Int64 = 0
        var total: Int64 = 0
        var percent: Double { total == 0 ? 100 : Double(bytes) * 100 / Double(total) }
    }

    struct Result {
        /// Files by category.
        var counts: [String: Int] = [:]
        var copied = 0
        /// Were there already.
        var kept = 0
        /// Were taken up where an earlier run was cut off.
        var continued = 0
    }

    static let chunk = 64 << 10

    let source: URL
    let target: URL
    let items: [Item]
    /// How long it rests after each chunk.
    let pause: Duration

    init(from source: URL, to target: URL, categories: [String], pause: Duration) throws {
        self.source = source
        self.target = target
        self.pause = pause
        items = try categories.flatMap { try Self.items(of: $0, below: source) }
    }

    var total: Int64 { items.reduce(0) { $0 + Int64($1.size) } }
    var categories: [String] { Array(Set(items.map(\.category))).sorted() }

    /// Regular files, in the order of their names. Links are not followed.
    private static func items(of category: String, below source: URL) throws -> [Item] {
        let root = source.appendingPathComponent(category)
        guard let paths = FileManager.default.enumerator(atPath: root.path) else { return [] }
        return try paths.compactMap { $0 as? String }.sorted().compactMap { path in
            let attributes = try FileManager.default.attributesOfItem(atPath: root.appendingPathComponent(path).path)
            guard attributes[.type] as? FileAttributeType == .typeRegular else { return nil }
            let modified = (attributes[.modificationDate] as? Date)?.timeIntervalSince1970 ?? 0
            return Item(category: category, path: "\(category)/\(path)", size: attributes[.size] as? Int ?? 0, modified: modified)
        }
    }

    /// Copies what is not there. `told` hears of every chunk.
    func run(_ told: (Progress) async throws -> Void) async throws -> Result {
        try FileManager.default.createDirectory(at: target, withIntermediateDirectories: true)
        var manifest = try Manifest(in: target)
        var progress = Progress(total: total)
        var result = Result()
        for item in items {
            (progress.category, progress.file) = (item.category, item.path)
            result.counts[item.category, default: 0] += 1
            let file = target.appendingPathComponent(item.path)
            if manifest.has(item.path, size: item.size, modified: item.modified, at: file) {
                result.kept += 1
                progress.bytes += Int64(item.size)
                continue
            }
            try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            let (hash, begun) = try await copy(item, to: file) { bytes in
                progress.bytes += Int64(bytes)
                try await told(progress)
            }
            if begun > 0 { result.continued += 1 }
            result.copied += 1
            try manifest.add(Manifest.Entry(path: item.path, size: item.size, modified: item.modified, sha256: hash))
        }
        try await told(progress)
        return result
    }

    /// Copies one file to a name of its own and renames it. The hash of all of it, and how many bytes were there.
    private func copy(_ item: Item, to file: URL, _ told: (Int) async throws -> Void) async throws -> (hash: String, begun: Int) {
        let partial = file.appendingPathExtension("partial")
        let input = try FileHandle(forReadingFrom: source.appendingPathComponent(item.path))
        defer { try? input.close() }
        var hash = SHA256()
        let begun = try continued(partial, of: item, input, &hash)
        if begun > 0 { try await told(begun) }
        if begun == 0 { _ = FileManager.default.createFile(atPath: partial.path, contents: nil) }
        let output = try FileHandle(forWritingTo: partial)
        defer { try? output.close() }
        try output.seekToEnd()
        while let bytes = try input.read(upToCount: Self.chunk), !bytes.isEmpty {
            hash.update(bytes)
            try output.write(contentsOf: bytes)
            try await told(bytes.count)
            if pause > .zero { try await Task.sleep(for: pause) }
        }
        try output.synchronize()
        _ = try? FileManager.default.removeItem(at: file)
        try FileManager.default.moveItem(at: partial, to: file)
        return (hash.finished(), begun)
    }

    /// How many bytes of the file are there and are the same as the source's; both are read, and go into the hash.
    private func continued(_ partial: URL, of item: Item, _ input: FileHandle, _ hash: inout SHA256) throws -> Int {
        guard let output = try? FileHandle(forReadingFrom: partial) else { return 0 }
        defer { try? output.close() }
        var count = 0
        var read = SHA256()
        while let there = try output.read(upToCount: Self.chunk), !there.isEmpty {
            guard try input.read(upToCount: there.count) == there else {
                try input.seek(toOffset: 0)
                return 0
            }
            read.update(there)
            count += there.count
        }
        hash = read
        return count
    }
}
