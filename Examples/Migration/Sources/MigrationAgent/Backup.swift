// Copies a directory to another, category by category, and can be cut off anywhere: complete files stand in the manifest, and a file that was cut off is taken up where it ends.
//
// A file that cannot be copied stops no other: it stands among the failures. What is private stays so: folders of the backup are its user's alone, and a copy has the mode and the time of its original.

import Foundation
import Ginnel

struct Backup {
    /// How far it has got.
    struct Progress {
        var category = ""
        var file = ""
        var bytes: Int64 = 0
        var total: Int64 = 0
        /// 0 to 100, also where files have grown since they were counted.
        var percent: Double { total == 0 ? 100 : min(max(Double(bytes) * 100 / Double(total), 0), 100) }
    }

    struct Result {
        /// Files that are in the backup, by category.
        var counts: [String: Int] = [:]
        var copied = 0
        /// Were there already.
        var kept = 0
        /// Were taken up where an earlier run was cut off.
        var continued = 0
        var failures: [Listing.Failure] = []
    }

    static let chunk = 64 << 10

    let source: URL
    let target: URL
    let listing: Listing
    /// How long it rests after each chunk.
    let pause: Duration

    init(from source: URL, to target: URL, categories: [String], pause: Duration) {
        self.source = source.resolvingSymlinksInPath()
        self.target = target.resolvingSymlinksInPath()
        self.pause = pause
        listing = Listing(of: categories, in: self.source, without: self.target)
    }

    var total: Int64 { listing.items.reduce(0) { $0 + Int64($1.size) } }

    /// Copies what is not there. `told` hears of every chunk. Throws when it is cancelled, and no error of a file.
    func run(_ manifest: inout Manifest, _ told: (Progress) async -> Void) async throws -> Result {
        var progress = Progress(total: total)
        var result = Result(failures: listing.failures)
        for item in listing.items {
            (progress.category, progress.file) = (item.category, item.path)
            let file = target.appendingPathComponent(item.path)
            if manifest.has(item.path, size: item.size, modified: item.modified, at: file) {
                result.kept += 1
                result.counts[item.category, default: 0] += 1
                progress.bytes += Int64(item.size)
                continue
            }
            do {
                try Self.makeFolder(file.deletingLastPathComponent())
                let (hash, begun) = try await copy(item, to: file) { bytes in
                    progress.bytes += Int64(bytes)
                    await told(progress)
                }
                try manifest.add(Manifest.Entry(path: item.path, size: item.size, modified: item.modified, sha256: hash))
                if begun > 0 { result.continued += 1 }
                result.copied += 1
                result.counts[item.category, default: 0] += 1
            } catch {
                try Task.checkCancellation()
                result.failures.append(Listing.Failure(item.category, item.path, error))
            }
        }
        await told(progress)
        return result
    }

    /// Makes a folder, and those that it lies in, for this user alone; what is there stays as it is.
    static func makeFolder(_ folder: URL) throws {
        guard !FileManager.default.fileExists(atPath: folder.path) else { return }
        if folder.path != "/" { try makeFolder(folder.deletingLastPathComponent()) }
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
    }

    /// Copies one file to a name of its own and renames it. The hash of all of it, and how many bytes were there.
    private func copy(_ item: Listing.Item, to file: URL, _ told: (Int) async -> Void) async throws -> (hash: String, begun: Int) {
        let partial = file.appendingPathExtension("partial")
        let input = try FileHandle(forReadingFrom: source.appendingPathComponent(item.path))
        defer { try? input.close() }
        var hash = ContentDigest.Builder()
        let begun = try continued(partial, of: item, input, &hash)
        if begun > 0 { await told(begun) }
        if begun == 0 { _ = FileManager.default.createFile(atPath: partial.path, contents: nil, attributes: [.posixPermissions: 0o600]) }
        let output = try FileHandle(forWritingTo: partial)
        defer { try? output.close() }
        try output.seekToEnd()
        while let bytes = try input.read(upToCount: Self.chunk), !bytes.isEmpty {
            try Task.checkCancellation()
            hash.append(bytes.bytes)
            try output.write(contentsOf: bytes)
            await told(bytes.count)
            if pause > .zero { try await Task.sleep(for: pause) }
        }
        try output.synchronize()
        _ = try? FileManager.default.removeItem(at: file)
        try FileManager.default.moveItem(at: partial, to: file)
        // Last, since a part that may not be written could not be taken up again.
        var attributes = try FileManager.default.attributesOfItem(atPath: source.appendingPathComponent(item.path).path)
        attributes = attributes.filter { [.posixPermissions, .modificationDate].contains($0.key) }
        attributes[.posixPermissions] = (attributes[.posixPermissions] as? Int).map { $0 & 0o777 }
        try FileManager.default.setAttributes(attributes, ofItemAtPath: file.path)
        return (hash.digest.hexadecimal, begun)
    }

    /// How many bytes of the file are there and are the same as the source's; both are read, and go into the hash.
    private func continued(_ partial: URL, of item: Listing.Item, _ input: FileHandle, _ hash: inout ContentDigest.Builder) throws -> Int {
        guard let output = try? FileHandle(forReadingFrom: partial) else { return 0 }
        defer { try? output.close() }
        var count = 0
        var read = ContentDigest.Builder()
        while let there = try output.read(upToCount: Self.chunk), !there.isEmpty {
            guard try input.read(upToCount: there.count) == there else {
                try input.seek(toOffset: 0)
                return 0
            }
            read.append(there.bytes)
            count += there.count
        }
        hash = read
        return count
    }
}
