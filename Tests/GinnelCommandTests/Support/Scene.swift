// Directories and services for tests: fresh ones for each, and gone afterwards.

import Foundation
import Testing

/// A fresh directory that is closed to others, while `body` runs.
func withDirectory<Result>(mode: Int = 0o700, _ body: (String) async throws -> Result) async throws -> Result {
    let path = FileManager.default.temporaryDirectory.resolvingSymlinksInPath().path + "/gc-" + String(UInt64.random(in: .min ... .max), radix: 36)
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try await body(path)
}

/// A running `ginnel serve-echo` at a fresh path, while `body` runs; it must end well when it is asked to.
func withEcho<Result>(_ options: String..., environment: [String: String] = [:], _ body: (String, Running) async throws -> Result) async throws -> Result {
    try await withDirectory { directory in
        let path = directory + "/echo.sock"
        let service = try Running(["serve-echo", path, "--json"] + options, environment: environment)
        defer { service.signal(SIGKILL) }
        let line = await service.line()
        try #require(line.contains("\"listening\""), "it says \(line)")
        let result = try await body(path, service)
        service.signal(SIGTERM)
        let outcome = await service.outcome()
        #expect(outcome.status == 0, "\(outcome.errors)")
        return result
    }
}

/// Leaves a socket behind as a service does that is killed.
func leaveStaleSocket(at path: String) async throws {
    let service = try Running(["serve-echo", path, "--json"])
    let line = await service.line()
    try #require(line.contains("\"listening\""), "it says \(line)")
    service.signal(SIGKILL)
    let outcome = await service.outcome()
    try #require(outcome.status == 256 + SIGKILL)
}
