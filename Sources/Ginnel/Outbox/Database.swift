// SQLite's interface, as far as an outbox needs it: one connection, statements, transactions, errors by name. Used by one thread.

#if DurableOutbox
internal import CSQLite
internal import GinnelTransport

final class Database {
    let path: String
    private(set) var handle: OpaquePointer?

    /// Opens or makes the file. Throws `denied` when it cannot be written.
    init(_ path: String) throws {
        self.path = path
        let code = sqlite3_open_v2(path, &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nil)
        guard code == SQLITE_OK else { throw error(code) }
        guard sqlite3_db_readonly(handle, "main") == 0 else { throw error(SQLITE_READONLY) }
    }

    deinit { sqlite3_close_v2(handle) }

    func run(_ text: String) throws {
        let code = sqlite3_exec(handle, text, nil, nil, nil)
        guard code == SQLITE_OK else { throw error(code) }
    }

    /// The first column of the first row.
    func number(_ text: String) throws -> Int64 {
        let statement = try Statement(self, text)
        return try statement.step() ? statement.number(0) : 0
    }

    func text(_ text: String) throws -> String {
        let statement = try Statement(self, text)
        return try statement.step() ? statement.text(0) : ""
    }

    /// Makes what `body` does with one commit, or undoes it.
    func transaction(_ body: () throws -> Void) throws {
        try run("BEGIN IMMEDIATE")
        do {
            try body()
            try run("COMMIT")
        } catch {
            // Some errors have undone it already.
            if sqlite3_get_autocommit(handle) == 0 { sqlite3_exec(handle, "ROLLBACK", nil, nil, nil) }
            throw error
        }
    }

    // MARK: Errors

    func error(_ sentence: String, _ code: GinnelError.Code) -> GinnelError { GinnelError(code, sentence, path: path) }

    /// What SQLite has just said, in our words.
    func error(_ code: Int32) -> GinnelError {
        let words = sqlite3_errmsg(handle).map { String(cString: $0) } ?? ""
        let system = sqlite3_system_errno(handle)
        let cause = SystemError(operation: "SQLite", sentence: system == 0 ? "\(words), code \(code)" : "\(words), code \(code), errno \(system)")
        let (ours, sentence): (GinnelError.Code, String) =
            switch code & 0xFF {
            case SQLITE_FULL: (.exhausted, "the disk is full, or the outbox has reached its size; what was kept before is still kept")
            case SQLITE_NOMEM: (.exhausted, "memory has run out")
            case SQLITE_READONLY, SQLITE_PERM, SQLITE_AUTH: (.denied, "the outbox is read-only; what was kept before is still kept")
            case SQLITE_CANTOPEN: (.denied, "the outbox cannot be opened for writing")
            case SQLITE_CORRUPT, SQLITE_NOTADB: (.damaged, "the outbox is damaged, or no outbox; move it away to begin a new one")
            case SQLITE_BUSY, SQLITE_LOCKED: (.busy, "another process has the outbox open; end it, or choose another path")
            default: (.other, "the outbox cannot be read or written")
            }
        return GinnelError(ours, sentence, path: path, cause: cause)
    }
}

/// A prepared statement.
final class Statement {
    enum Value {
        case number(Int64)
        case text(String)
        case bytes([UInt8])
    }

    private let database: Database
    private var handle: OpaquePointer?
    /// SQLite makes a copy of what it is given.
    private static var copied: sqlite3_destructor_type { unsafeBitCast(-1, to: sqlite3_destructor_type.self) }

    init(_ database: Database, _ text: String) throws {
        self.database = database
        let code = sqlite3_prepare_v2(database.handle, text, -1, &handle, nil)
        guard code == SQLITE_OK else { throw database.error(code) }
    }

    deinit { sqlite3_finalize(handle) }

    /// Runs it with these values, to its end.
    func run(_ values: Value...) throws {
        defer {
            sqlite3_reset(handle)
            sqlite3_clear_bindings(handle)
        }
        for (index, value) in values.enumerated() {
            let place = Int32(index + 1)
            let code =
                switch value {
                case .number(let number): sqlite3_bind_int64(handle, place, number)
                case .text(let text): sqlite3_bind_text(handle, place, text, Int32(clamping: text.utf8.count), Self.copied)
                case .bytes(let bytes) where bytes.isEmpty: sqlite3_bind_zeroblob(handle, place, 0)
                case .bytes(let bytes): sqlite3_bind_blob64(handle, place, bytes, UInt64(bytes.count), Self.copied)
                }
            guard code == SQLITE_OK else { throw database.error(code) }
        }
        while try step() {}
    }

    /// Goes to the next row; false when there is none.
    func step() throws -> Bool {
        let code = sqlite3_step(handle)
        if code == SQLITE_ROW { return true }
        guard code == SQLITE_DONE else { throw database.error(code) }
        return false
    }

    func number(_ column: Int32) -> Int64 { sqlite3_column_int64(handle, column) }

    func text(_ column: Int32) -> String { String(decoding: bytes(column), as: UTF8.self) }

    func bytes(_ column: Int32) -> [UInt8] {
        guard let start = sqlite3_column_blob(handle, column) else { return [] }
        return [UInt8](UnsafeRawBufferPointer(start: start, count: Int(sqlite3_column_bytes(handle, column))))
    }
}
#endif
