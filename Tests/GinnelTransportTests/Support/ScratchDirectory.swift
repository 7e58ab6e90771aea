// A directory of a test's own, closed to others, gone with the test.

import Foundation
import GinnelCore
import GinnelTransport

final class ScratchDirectory: Sendable {
    let path: String

    /// Where a short path matters, the system's temporary directory is short enough.
    init(mode: Int = 0o700) throws {
        path = "/tmp/ginnel-test-\(try Identity.random().description.prefix(12))"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        try setMode(of: path, mode)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func file(_ name: String) -> String { "\(path)/\(name)" }
}

/// Permission bits, owner and group of what stands at a path, links not followed; `nil` when nothing does.
struct FileFacts: Equatable {
    var mode: Int
    var owner: Int
    var group: String

    init?(_ path: String) {
        guard let attributes = try? FileManager.default.attributesOfItem(atPath: path) else { return nil }
        mode = (attributes[.posixPermissions] as? NSNumber)?.intValue ?? -1
        owner = (attributes[.ownerAccountID] as? NSNumber)?.intValue ?? -1
        group = attributes[.groupOwnerAccountName] as? String ?? "?"
    }
}

func setMode(of path: String, _ mode: Int) throws {
    try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
}

func exists(_ path: String) -> Bool { FileFacts(path) != nil }
