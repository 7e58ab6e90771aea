// The SQLite file of an outbox: how it is opened, what stands in it, how it is changed. Used by one thread.
//
// The journal is a write-ahead log: a commit appends to it and costs one flush instead of two, and what a killed process had half written is recognised by its checksum and ignored.
// `synchronous` is FULL, since with NORMAL the log is flushed only now and then, and what was reported as kept would be lost with the power. The lock is exclusive from the
// beginning to the end, so a second process is told that the file is taken, and no memory is shared beside it.

#if DurableOutbox
internal import CSQLite
internal import GinnelCore
internal import GinnelTransport

final class OutboxFile {
    /// What stands in `user_version` of a file that this code reads.
    static let version: Int64 = 1
    /// "Ginn", in `application_id`.
    static let application: Int64 = 0x4769_6E6E

    private let database: Database
    private let insert: Statement
    private let delete: Statement
    private let reserve: Statement

    init(at path: String, maximumBytes: Int) throws {
        let isNew = try FileTrust.check(path)
        database = try Database(path)
        if isNew { try FileTrust.close(path) }
        try Self.lock(database)
        try database.run("PRAGMA max_page_count = \(max(16, maximumBytes / Int(try database.number("PRAGMA page_size"))))")
        try Self.prepare(database)
        insert = try Statement(database, "INSERT INTO entry (id, lane, name, codec, payload) VALUES (?, ?, ?, ?, ?)")
        delete = try Statement(database, "DELETE FROM entry WHERE id = ?")
        reserve = try Statement(database, "UPDATE outbox SET reserved = max(reserved, ?)")
    }

    /// From here on nobody else can read or write.
    private static func lock(_ database: Database) throws {
        try database.run("PRAGMA locking_mode = EXCLUSIVE")
        try database.run("PRAGMA trusted_schema = OFF")
        guard try database.text("PRAGMA journal_mode = WAL") == "wal" else { throw database.error("no write-ahead log can be kept here", .unsupported) }
        try database.run("PRAGMA synchronous = FULL")
        try database.run("PRAGMA journal_size_limit = \(4 << 20)")
    }

    /// Makes a new file an outbox, and checks one that is there.
    private static func prepare(_ database: Database) throws {
        try database.transaction {
            let version = try database.number("PRAGMA user_version")
            let application = try database.number("PRAGMA application_id")
            if version == 0, application == 0, try database.number("SELECT count(*) FROM sqlite_schema") == 0 {
                let sender = try Identity.random()
                try database.run("CREATE TABLE outbox (high INTEGER NOT NULL, low INTEGER NOT NULL, reserved INTEGER NOT NULL)")
                try database.run("CREATE TABLE entry (id INTEGER PRIMARY KEY, lane INTEGER NOT NULL, name TEXT NOT NULL, codec INTEGER NOT NULL, payload BLOB NOT NULL)")
                try database.run("INSERT INTO outbox VALUES (\(Int64(bitPattern: sender.high)), \(Int64(bitPattern: sender.low)), 0)")
                try database.run("PRAGMA application_id = \(Self.application)")
                try database.run("PRAGMA user_version = \(Self.version)")
            } else if application != Self.application {
                throw database.error("the file is an SQLite file and no outbox", .damaged)
            } else if version != Self.version {
                throw database.error("the file has version \(version), and this program reads version \(Self.version)", .unsupported)
            }
        }
        let finding = try database.text("PRAGMA quick_check(1)")
        guard finding == "ok" else { throw database.error("the file is not whole: \(finding)", .damaged) }
    }

    func contents() throws -> StoredOutbox {
        let head = try Statement(database, "SELECT high, low, reserved FROM outbox")
        guard try head.step() else { throw database.error("the outbox has no identity", .damaged) }
        let identity = Identity(high: UInt64(bitPattern: head.number(0)), low: UInt64(bitPattern: head.number(1)))
        var stored = StoredOutbox(sender: identity, reserved: UInt64(bitPattern: head.number(2)))
        let entries = try Statement(database, "SELECT id, lane, name, codec, payload FROM entry ORDER BY id")
        while try entries.step() {
            guard let lane = UInt8(exactly: entries.number(1)).flatMap({ Lane(rawValue: $0) }), let codec = UInt8(exactly: entries.number(3)) else {
                throw database.error("an entry of the outbox has a lane or a codec that there is not", .damaged)
            }
            let message = OutboxMessage(name: entries.text(2), codec: Codec(rawValue: codec), payload: entries.bytes(4), lane: lane, isDurable: true)
            stored.entries.append(OutboxEntry(id: UInt64(bitPattern: entries.number(0)), message: message))
        }
        return stored
    }

    /// Makes all changes with one commit, or none of them.
    func make(_ changes: [OutboxChange]) -> GinnelError? {
        do {
            try database.transaction { for change in changes { try make(change) } }
            return nil
        } catch {
            return error as? GinnelError ?? GinnelError(.other, "\(error)")
        }
    }

    private func make(_ change: OutboxChange) throws {
        switch change {
        case .store(let entry):
            // Ids are signed numbers to SQLite, and in their order; nobody comes to the end of even those.
            guard let id = Int64(exactly: entry.id) else { throw database.error("the id \(entry.id) is over \(Int64.max)", .invalid) }
            try insert.run(
                .number(id), .number(Int64(entry.message.lane.rawValue)), .text(entry.message.name), .number(Int64(entry.message.codec.rawValue)), .bytes(entry.message.payload))
        case .reserve(let last): try reserve.run(.number(Int64(clamping: last)))
        case .remove(let ids): for id in ids { try delete.run(.number(Int64(clamping: id))) }
        }
    }
}
#endif
