// Where the approval token is kept: one line in a file of this user alone, in a directory of this user alone.

import Foundation
import RecorderMessages

struct ApprovalTokenFile: Sendable {
    let path: String

    /// `$XDG_STATE_HOME/omnirec/approval-token`, or else below `~/.local/state`.
    static var standard: ApprovalTokenFile {
        let state = ProcessInfo.processInfo.environment["XDG_STATE_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil }
        return ApprovalTokenFile(path: (state ?? NSHomeDirectory() + "/.local/state") + "/omnirec/approval-token")
    }

    /// The token; `nil` when there is none, or when what is there is none.
    func read() -> String? {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines) else { return nil }
        return ApprovalToken.isWellFormed(text) ? text : nil
    }

    /// Replaces the token as a whole: who reads meanwhile finds the old one or the new one.
    func write(_ token: String) throws {
        let directory = (path as NSString).deletingLastPathComponent
        let files = FileManager.default
        try files.createDirectory(atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        // Also when it was there before: in a directory that is closed, the file is open to others at no moment.
        try files.setAttributes([.posixPermissions: 0o700], ofItemAtPath: directory)
        try Data(token.utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
        try files.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
    }

    func verdict(on token: String) -> TokenVerdict {
        guard let stored = read() else { return .invalid }
        return ApprovalToken.areEqual(stored, token) ? .valid : .invalid
    }
}
