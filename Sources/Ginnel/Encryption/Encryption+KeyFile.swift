// A pre-shared key in a file: what an operator can set for a program, and tools for themselves.

internal import GinnelTransport

#if Encryption
internal import Foundation
#endif

extension Encryption {
    /// As `.preShared`, with the key that a file holds: 64 hexadecimal digits, with white space around them at most. Blocks.
    ///
    /// - Throws: `GinnelError`: `unsafe` when the file is not this user's or is open to others, `invalid` when something else stands in it, `notFound` or `denied` when it cannot be read, and `unsupported`
    ///   in a build without the package trait `Encryption`.
    public static func keyFile(_ path: String) throws -> Encryption {
        #if Encryption
        guard try !FileTrust.checkFile(path, "a key file") else { throw GinnelError(.notFound, "there is no such key file", path: path) }
        let file: FileHandle
        let data: Data?
        do {
            file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
            data = try file.read(upToCount: longest + 1)
        } catch {
            throw GinnelError(.denied, "the key file cannot be read: \((error as NSError).localizedDescription)", path: path)
        }
        guard let data, let key = key(in: [UInt8](data)) else {
            throw GinnelError(.invalid, "a key file holds 64 hexadecimal digits, 32 random bytes, and nothing else", path: path)
        }
        return try .preShared(key)
        #else
        throw GinnelError(.unsupported, "this build encrypts nothing: build it with the package trait Encryption, or leave out the key file", path: path)
        #endif
    }

    #if Encryption
    /// Bytes of the longest file that is read.
    private static let longest = 1024

    private static func key(in text: [UInt8]) -> [UInt8]? {
        let spaces: Set<UInt8> = [9, 10, 13, 32]
        guard text.count <= longest, let first = text.firstIndex(where: { !spaces.contains($0) }), let last = text.lastIndex(where: { !spaces.contains($0) }) else { return nil }
        let digits = text[first...last].map { Character(UnicodeScalar($0)).hexDigitValue.map(UInt8.init) }
        guard digits.count == 64 else { return nil }
        let key = stride(from: 0, to: 64, by: 2).compactMap { index in
            if let high = digits[index], let low = digits[index + 1] { high << 4 | low } else { UInt8?.none }
        }
        return key.count == 32 ? key : nil
    }
    #endif
}
