// A sender that keeps what it says on disk, to be killed at any moment. Says what it has been told about each change, and nothing before.
//
//     keep   stores messages without end, several at a time, and removes the oldest now and then: `stored ID`, `removing ID`, `removed ID`
//     fill   stores until the disk is full, makes room, goes on: `full CODE AFTER`, `again CODE`, `kept COUNT LOST`
//     list   opens and tells what is there: `kept COUNT`, or `error CODE`

#if DurableOutbox
import Foundation
import Ginnel
import GinnelCore
import GinnelTransport

enum OutboxKeeping {
    /// What a message with this id holds.
    static func entry(_ id: UInt64, count: Int) -> OutboxEntry {
        let payload = (0..<count).map { UInt8(truncatingIfNeeded: id &* 31 &+ UInt64($0)) }
        return OutboxEntry(id: id, message: OutboxMessage(name: "m\(id)", codec: .json, payload: payload, lane: .low, isDurable: true))
    }

    static func run(_ options: Options) async {
        let store = SQLiteOutbox(at: options["path"] ?? "")
        do {
            let stored = try await store.load()
            switch options["do"] {
            case "keep": try await keep(store, stored)
            case "fill": try await fill(store, options["path"] ?? "")
            default: say("kept \(stored.entries.count)")
            }
        } catch {
            say("error \((error as? GinnelError).map { "\($0.code)" } ?? "\(error)")")
        }
        await store.close()
    }

    private static func keep(_ store: SQLiteOutbox, _ stored: StoredOutbox) async throws {
        var oldest = stored.entries.first?.id ?? stored.reserved + 1
        var next = stored.reserved
        while true {
            try await store.make(.reserve(through: next + 8))
            await withTaskGroup { group in
                for id in next + 1...next + 8 {
                    group.addTask { await report("stored \(id)") { try await store.make(.store(entry(id, count: Int(id % 3000)))) } }
                }
            }
            next += 8
            guard next > oldest + 64 else { continue }
            for id in oldest..<oldest + 8 { say("removing \(id)") }
            let ids = Array(oldest..<oldest + 8)
            await report("removed \(oldest)") { try await store.make(.remove(ids)) }
            oldest += 8
        }
    }

    private static func report(_ what: String, _ body: () async throws -> Void) async {
        do {
            try await body()
            say(what)
        } catch {
            say("error \(error)")
        }
    }

    private static func fill(_ store: SQLiteOutbox, _ path: String) async throws {
        var count: UInt64 = 0
        while true {
            do {
                try await store.make(.store(entry(count + 1, count: 1000)))
                count += 1
            } catch let error as GinnelError {
                say("full \(error.code) \(count)")
                break
            }
        }
        // What was in the way goes away, as the messages of a full outbox do.
        try? FileManager.default.removeItem(atPath: path + ".ballast")
        do {
            try await store.make(.store(entry(count + 1, count: 1000)))
            count += 1
            say("again ok")
        } catch let error as GinnelError {
            say("again \(error.code)")
        }
        await store.close()
        let kept = try await SQLiteOutbox(at: path).load().entries
        say("kept \(kept.count) \(Int(count) - kept.filter { $0 == entry($0.id, count: 1000) }.count)")
    }
}
#endif
