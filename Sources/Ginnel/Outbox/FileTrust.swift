// A file that holds what a program has to say must be its user's alone.

#if DurableOutbox || Encryption
internal import Foundation
internal import GinnelTransport

enum FileTrust {
    /// Checks the directory, made when it is missing, and the file; true when there is no file yet. Throws `unsafe` when one of them is not ours or is open to others.
    static func check(_ path: String) throws -> Bool {
        try OwnDirectory.prepare(URL(fileURLWithPath: path).deletingLastPathComponent().path)
        return try checkFile(path, "an outbox")
    }

    /// Checks the file alone. `what`: what it is to be, for the error.
    static func checkFile(_ path: String, _ what: String) throws -> Bool {
        // Of a link what it is, and not what it leads to.
        guard let facts = try? FileManager.default.attributesOfItem(atPath: path) else { return true }
        // Where users are not numbers, modes say nothing.
        guard let own = PeerIdentity.own.user else { return false }
        let owner = (facts[.ownerAccountID] as? NSNumber)?.uint32Value
        let mode = (facts[.posixPermissions] as? NSNumber)?.intValue ?? 0o777
        guard facts[.type] as? FileAttributeType == .typeRegular, owner == own, mode & 0o077 == 0 else {
            let found = "\(facts[.type] as? FileAttributeType == .typeRegular ? "a file" : "no file") of user \(owner.map { "\($0)" } ?? "?") with mode 0\(String(mode, radix: 8))"
            throw GinnelError(.unsafe, "\(what) must be a file of user \(own) with mode 0600, and this is \(found); mend it or choose another path", path: path)
        }
        return false
    }

    /// Closes a new file to others, before anything is written to it; what SQLite makes beside it takes its mode.
    static func close(_ path: String) throws {
        do {
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
        } catch {
            throw GinnelError(.denied, "the mode of a new outbox cannot be set: \(error.localizedDescription)", path: path)
        }
    }
}
#endif
