// The processes of this machine, as /proc shows them. Nothing is kept between two looks: a process may end at any moment, and is left out then.

import Foundation
import Ginnel
import ProcessMonitorMessages

struct ProcessTable: Sendable {
    /// False on systems without /proc.
    let isAvailable = FileManager.default.fileExists(atPath: "/proc/self/stat")
    private let ticksPerSecond = Double(max(sysconf(Int32(_SC_CLK_TCK)), 1))
    private let pageSize = UInt64(max(sysconf(Int32(_SC_PAGESIZE)), 1))
    /// When the machine was started, in seconds since 1970.
    private let bootTime: Int64

    init() {
        let lines = Self.text("/proc/stat")?.split(separator: "\n") ?? []
        bootTime = lines.first { $0.hasPrefix("btime ") }.flatMap { Int64($0.dropFirst(6)) } ?? 0
    }

    // MARK: Tasks

    /// The processes that the filter admits, by their numbers. Those that it names by number are hashed too. Throws when the task is cancelled.
    func matching(_ filter: ProcessFilter?) throws -> [ProcessRecord] {
        let isHashed = filter?.pids.isEmpty == false
        return try all().filter { filter?.admits($0) ?? true }.map { isHashed ? try hashed($0) : $0 }
    }

    /// The processes that the filter admits and all that descend from them, each behind its parent. Without a filter: every tree of the machine.
    func tree(below filter: ProcessFilter?) throws -> [ProcessRecord] {
        let records = try all()
        let known = Set(records.map(\.pid))
        let children = Dictionary(grouping: records) { $0.ppid ?? 0 }
        var waiting = records.filter { filter?.admits($0) ?? !known.contains($0.ppid ?? 0) }
        var tree: [ProcessRecord] = []
        var seen: Set<UInt32> = []
        while !waiting.isEmpty {
            let next = waiting.removeFirst()
            guard seen.insert(next.pid).inserted else { continue }
            tree.append(next)
            waiting.insert(contentsOf: children[next.pid] ?? [], at: 0)
        }
        return tree
    }

    // MARK: Records

    private func all() throws -> [ProcessRecord] {
        let ids = try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap { UInt32($0) }.sorted()
        return try ids.compactMap {
            try Task.checkCancellation()
            return record($0)
        }
    }

    /// `nil` when there is no such process any more.
    private func record(_ id: UInt32) -> ProcessRecord? {
        // The name may hold anything, brackets and blanks too; it ends with the last bracket.
        guard let stat = Self.text("/proc/\(id)/stat"), let open = stat.firstIndex(of: "("), let close = stat.lastIndex(of: ")") else { return nil }
        let fields = stat[stat.index(after: close)...].split(separator: " ")
        guard fields.count > 21, let parent = UInt32(fields[1]) else { return nil }
        let now = Date().timeIntervalSince1970
        var record = ProcessRecord()
        record.pid = id
        record.ppid = parent
        record.name = String(stat[stat.index(after: open)..<close])
        if let used = Double(fields[11]), let usedBySystem = Double(fields[12]), let begun = Double(fields[19]) {
            let start = Double(bootTime) + begun / ticksPerSecond
            record.startTime = Int64(start)
            record.cpuUsage = 100 * (used + usedBySystem) / ticksPerSecond / max(now - start, 1 / ticksPerSecond)
        }
        record.memoryUsage = UInt64(fields[21]).map { $0 * pageSize }
        record.commandLine = Self.text("/proc/\(id)/cmdline")?.split(separator: "\0").map(String.init) ?? []
        record.userID = Self.text("/proc/\(id)/status")?.split(separator: "\n").first { $0.hasPrefix("Uid:") }?.split(separator: "\t").dropFirst().first.map(String.init)
        record.collectionTime = Int64(now * 1000)
        addExecutable(to: &record)
        return record
    }

    private func addExecutable(to record: inout ProcessRecord) {
        guard let link = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(record.pid)/exe") else { return }
        let gone = " (deleted)"
        record.accessible = true
        // A file that was removed or replaced while it ran is another one on disk.
        record.onDiskMismatch = link.hasSuffix(gone)
        let path = record.onDiskMismatch ? String(link.dropLast(gone.count)) : link
        record.executablePath = path
        record.fileExists = FileManager.default.fileExists(atPath: path)
    }

    private func hashed(_ record: ProcessRecord) throws -> ProcessRecord {
        guard let path = record.executablePath, record.fileExists else { return record }
        var record = record
        do {
            record.executableHash = try ContentDigest(ofFile: path).hexadecimal
            record.hashAlgorithm = "sha256"
        } catch is GinnelError {
            record.accessible = false
        }
        return record
    }

    private static func text(_ path: String) -> String? {
        (try? Data(contentsOf: URL(fileURLWithPath: path))).map { String(decoding: $0, as: UTF8.self) }
    }
}
