// A directory for one test, closed to others and removed after it.

import Foundation

func withDirectory<Result: Sendable>(_ body: (String) async throws -> Result) async throws -> Result {
    let template = FileManager.default.temporaryDirectory.appendingPathComponent("ginnel-test-XXXXXX").path
    let path = template.withCString { text in
        let copy = strdup(text)!
        defer { free(copy) }
        return mkdtemp(copy).map { String(cString: $0) }
    }
    guard let path else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try await body(path)
}

/// Runs `body` on a thread of its own: what blocks must not hold one of those that all tests share.
func offPool<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
    try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread { continuation.resume(with: Swift.Result { try body() }) }
    }
}
