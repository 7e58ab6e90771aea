// What a file hashes to, read a piece at a time.

import CSHA256
import Foundation

public enum SHA256 {
    /// 64 hexadecimal digits. Blocks; throws when the file cannot be read, or the task that asks is cancelled.
    public static func hexadecimal(ofFile path: String) throws -> String {
        let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
        defer { try? file.close() }
        var state = sha256_begin()
        while let piece = try file.read(upToCount: 1 << 20), !piece.isEmpty {
            piece.withUnsafeBytes { sha256_add(&state, $0.baseAddress, $0.count) }
            try Task.checkCancellation()
        }
        var digest = [UInt8](repeating: 0, count: 32)
        sha256_end(&state, &digest)
        return digest.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
