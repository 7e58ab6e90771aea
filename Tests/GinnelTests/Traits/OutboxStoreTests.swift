// The outbox on disk: what it was said to keep it keeps, whatever happens to the process, the disk and the file.

#if DurableOutbox
import Foundation
import GinnelCore
import GinnelTesting
import GinnelTransport
import Testing

@testable import Ginnel

@Suite(.serialized, .ownThread, .timeLimit(.minutes(5))) struct OutboxStoreTests {
    private static func entry(_ id: UInt64, _ count: Int = 100) -> OutboxEntry {
        let payload = (0..<count).map { UInt8(truncatingIfNeeded: id &* 31 &+ UInt64($0)) }
        return OutboxEntry(id: id, message: OutboxMessage(name: "m\(id)", codec: .json, payload: payload, lane: .low, isDurable: true))
    }

    /// Opens the outbox, does `body` and closes it.
    @discardableResult
    private static func with<Result>(
        _ path: String, maximumBytes: Int = 256 << 20, _ body: (SQLiteOutbox, StoredOutbox) async throws -> Result
    ) async throws -> Result {
        let store = SQLiteOutbox(at: path, maximumBytes: maximumBytes)
        let stored = try await store.load()
        do {
            let result = try await body(store, stored)
            await store.close()
            return result
        } catch {
            await store.close()
            throw error
        }
    }

    private static func code(of body: () async throws -> Void) async throws -> GinnelError.Code { try await errorOf(GinnelError.self, body).code }

    private static func codeOfLoading(_ path: String) async throws -> GinnelError.Code {
        try await code(of: { try await with(path) { _, _ in } })
    }

    @Test func `what was stored comes back in order with the same sender, and what was removed does not`() async throws {
        try await withDirectory { directory in
            let path = directory + "/box"
            let first = try await Self.with(path) { store, stored in
                #expect(stored.entries == [] && stored.reserved == 0)
                try await store.make(.reserve(through: 4096))
                for id in [2, 3, 1, 7] as [UInt64] { try await store.make(.store(Self.entry(id, Int(id) - 1))) }
                try await store.make(.remove([3, 99]))
                return stored.sender
            }
            try await Self.with(path) { store, stored in
                #expect(stored == StoredOutbox(sender: first, reserved: 4096, entries: [1, 2, 7].map { Self.entry($0, Int($0) - 1) }))
                try await store.make(.reserve(through: 1))
            }
            try await Self.with(path) { _, stored in #expect(stored.reserved == 4096) }
            try await Self.with(directory + "/other") { _, stored in #expect(stored.sender != first) }
        }
    }

    @Test func `changes that are made at once are made in their order`() async throws {
        try await withDirectory { directory in
            try await Self.with(directory + "/box") { store, _ in
                let done = Recorded<UInt64>()
                for id in 1...3000 as ClosedRange<UInt64> {
                    store.make(.store(Self.entry(id))) { error in
                        #expect(error == nil)
                        done.append(id)
                    }
                }
                try await done.wait { $0.count == 3000 }
                #expect(done.all == Array(1...3000))
            }
            try await Self.with(directory + "/box") { _, stored in #expect(stored.entries == (1...3000).map { Self.entry($0) }) }
        }
    }

    @Test func `a store that is closed says so, and has made what it took before`() async throws {
        try await withDirectory { directory in
            let store = SQLiteOutbox(at: directory + "/box")
            let early = try await Self.code(of: { try await store.make(.remove([])) })
            #expect(early == .closed)
            _ = try await store.load()
            let again = try await Self.code(of: { _ = try await store.load() })
            #expect(again == .invalid)
            let done = Recorded<Bool>()
            for id in 1...500 as ClosedRange<UInt64> { store.make(.store(Self.entry(id))) { done.append($0 == nil) } }
            await store.close()
            #expect(done.all == [Bool](repeating: true, count: 500))
            let late = try await Self.code(of: { try await store.make(.remove([])) })
            #expect(late == .closed)
            await store.close()
        }
    }

    // MARK: Death

    @Test func `a sender that is killed fifty times at any moment has kept what it said it had, in order and whole`() async throws {
        try await withDirectory { directory in
            let path = directory + "/box"
            var random = SplitMix64(seed: 7)
            var stored: Set<UInt64> = []
            var gone: Set<UInt64> = []
            var mayBeGone: Set<UInt64> = []
            var sender: Identity?
            for round in 1...50 {
                let child = try Child(["outbox", "--do", "keep", "--path", path])
                let wanted = random.number(in: 1...120)
                try await child.lines.wait { $0.count >= wanted }
                child.kill()
                _ = try await child.status()
                // Its last words may still be on their way.
                try? await child.lines.wait { _ in false }
                for line in child.lines.all {
                    let words = line.split(separator: " ")
                    let id = words.count == 2 ? UInt64(words[1]) : nil
                    switch (words.first, id) {
                    case ("stored", let id?): stored.insert(id)
                    case ("removing", let id?): mayBeGone.insert(id)
                    case ("removed", let id?): gone.formUnion(id..<id + 8)
                    default: Issue.record("round \(round): \(line)")
                    }
                }
                try await Self.with(path) { _, kept in
                    let ids = kept.entries.map(\.id)
                    #expect(ids == ids.sorted())
                    #expect(Set(ids).isSuperset(of: stored.subtracting(mayBeGone)), "round \(round)")
                    #expect(Set(ids).isDisjoint(with: gone), "round \(round)")
                    #expect(kept.entries.allSatisfy { $0 == Self.entry($0.id, Int($0.id % 3000)) })
                    #expect(kept.reserved >= ids.last ?? 0)
                    #expect(sender == nil || sender == kept.sender)
                    sender = kept.sender
                }
            }
            #expect(stored.count > 1000)
            #expect(!gone.isEmpty)
        }
    }

    // MARK: The disk

    @Test func `an outbox that has reached its size says so, keeps what it has, and takes more when there is room again`() async throws {
        try await withDirectory { directory in
            let path = directory + "/box"
            let kept = try await Self.with(path, maximumBytes: 200_000) { store, _ in
                var count: UInt64 = 0
                let error = try await errorOf(GinnelError.self) {
                    while count < 1000 {
                        try await store.make(.store(Self.entry(count + 1, 1000)))
                        count += 1
                    }
                }
                #expect(error.code == .exhausted)
                #expect(count > 100)
                try await store.make(.remove(Array(1...10)))
                try await store.make(.store(Self.entry(count + 1, 1000)))
                return Array(11...count + 1)
            }
            try await Self.with(path) { _, stored in #expect(stored.entries == kept.map { Self.entry($0, 1000) }) }
        }
    }

    @Test func `of changes that wait together the one that does not fit fails alone`() async throws {
        try await withDirectory { directory in
            try await Self.with(directory + "/box", maximumBytes: 200_000) { store, _ in
                let codes = Recorded<GinnelError.Code?>()
                for id in 1...3 as ClosedRange<UInt64> { store.make(.store(Self.entry(id, id == 2 ? 1_000_000 : 10))) { codes.append($0?.code) } }
                try await codes.wait { $0.count == 3 }
                #expect(codes.all == [nil, .exhausted, nil])
            }
            try await Self.with(directory + "/box") { _, stored in #expect(stored.entries.map(\.id) == [1, 3]) }
        }
    }

    @Test(.enabled(if: Child.isRoot, "mounts a small disk, which only root can"))
    func `a full disk and a read-only one are errors by name, and lose nothing`() async throws {
        try await withDirectory { directory in
            // In a mount namespace of its own: nobody else sees this disk.
            let script = """
                mount -t tmpfs -o size=600k,mode=0700 none "$0" && head -c 200000 /dev/zero > "$0/box.ballast" && "$1" outbox --do fill --path "$0/box" && \
                "$1" outbox --do list --path "$0/box" && mount -o remount,ro "$0" && "$1" outbox --do list --path "$0/box"
                """
            let child = try Child(["--mount", "sh", "-c", script, directory, Child.program], program: "/usr/bin/unshare")
            #expect(try await child.status() == 0)
            let full = try await child.line("full").split(separator: " ")
            #expect(full[1] == "exhausted")
            let count = try #require(Int(full[2]))
            #expect(count > 20)
            try? await child.lines.wait { _ in false }
            #expect(Array(child.lines.all.dropFirst()) == ["again ok", "kept \(count + 1) 0", "kept \(count + 1)", "error denied"])
        }
    }

    // MARK: The file

    @Test func `one process at a time: another is told who has it`() async throws {
        try await withDirectory { directory in
            let path = directory + "/box"
            try await Self.with(path) { _, _ in
                #expect(try await Self.codeOfLoading(path) == .busy)
                let child = try Child(["outbox", "--do", "list", "--path", path])
                try await child.line("error busy")
            }
            let child = try Child(["outbox", "--do", "list", "--path", path])
            try await child.line("kept 0")
        }
    }

    @Test func `a file that is open to others, of somebody else or no file is refused`() async throws {
        try await withDirectory { directory in
            let path = directory + "/box"
            try await Self.with(path) { store, _ in
                try await store.make(.store(Self.entry(1)))
                for suffix in ["", "-wal"] { #expect(FileManager.default.mode(of: path + suffix) == 0o600) }
            }
            for mode in [0o640, 0o602] {
                chmod(path, mode_t(mode))
                #expect(try await Self.codeOfLoading(path) == .unsafe)
            }
            chmod(path, 0o600)
            try FileManager.default.createSymbolicLink(atPath: directory + "/link", withDestinationPath: path)
            #expect(try await Self.codeOfLoading(directory + "/link") == .unsafe)
            try FileManager.default.createDirectory(atPath: directory + "/directory", withIntermediateDirectories: false)
            #expect(try await Self.codeOfLoading(directory + "/directory") == .unsafe)
            if Child.isRoot {
                chown(path, 12_001, 12_001)
                #expect(try await Self.codeOfLoading(path) == .unsafe)
                chown(path, 0, 0)
            }
            chmod(directory, 0o777)
            #expect(try await Self.codeOfLoading(path) == .unsafe)
            chmod(directory, 0o700)
            try await Self.with(path) { _, stored in #expect(stored.entries == [Self.entry(1)]) }
        }
    }

    /// Writes bytes into a closed outbox, at an offset of the file.
    private static func change(_ path: String, at offset: Int, _ bytes: [UInt8]) throws {
        var data = try Data(contentsOf: URL(fileURLWithPath: path))
        data.replaceSubrange(offset..<offset + bytes.count, with: bytes)
        try data.write(to: URL(fileURLWithPath: path))
        chmod(path, 0o600)
    }

    @Test func `a file that is damaged, of another program or of a later version is refused and not touched`() async throws {
        try await withDirectory { directory in
            // Offsets of SQLite's file header: the magic at 0, user_version at 60, application_id at 68. The second page holds the table of entries or of the identity.
            let damages: [(Int, [UInt8], GinnelError.Code)] = [
                (0, Array("no database at all".utf8), .damaged), (60, [0, 0, 0, 9], .unsupported), (68, [1, 2, 3, 4], .damaged),
                (2 * 4096, [UInt8](repeating: 0xA5, count: 4096), .damaged),
            ]
            for (number, (offset, bytes, code)) in damages.enumerated() {
                let path = directory + "/box\(number)"
                try await Self.with(path) { store, _ in for id in 1...50 as ClosedRange<UInt64> { try await store.make(.store(Self.entry(id, 500))) } }
                try Self.change(path, at: offset, bytes)
                let before = try Data(contentsOf: URL(fileURLWithPath: path))
                #expect(try await Self.codeOfLoading(path) == code, "damage \(number)")
                #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == before)
            }
        }
    }
}
#endif
