// Digests beside the examples of FIPS 180-4, whatever the cut, and of files.

import CGinnelPlatform
import Foundation
import GinnelTesting
import GinnelTransport
import Testing

@Suite(.timeLimit(.minutes(5))) struct ContentDigestTests {
    private static let ofNothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

    private static func digest(_ bytes: some Sequence<UInt8>) -> ContentDigest { ContentDigest(of: Array(bytes).span.bytes) }

    // MARK: Bytes

    @Test(
        arguments: [
            ("", ofNothing), ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            ("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"),
            (
                "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
                "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"
            ),
        ])
    func `the examples of the standard come out`(text: String, expected: String) {
        #expect(Self.digest(text.utf8).hexadecimal == expected)
        #expect(ContentDigest(hexadecimal: expected) == Self.digest(text.utf8))
    }

    @Test func `a million letters a come out, in parts of any size`() {
        let expected = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
        for size in [1, 63, 64, 65, 999, 65_536, 1_000_000] {
            let part = [UInt8](repeating: UInt8(ascii: "a"), count: size)
            var builder = ContentDigest.Builder()
            for _ in 0..<1_000_000 / size { builder.append(part.span.bytes) }
            let rest = part.prefix(1_000_000 % size)
            builder.append(Array(rest).span.bytes)
            #expect(builder.digest.hexadecimal == expected, "parts of \(size)")
        }
    }

    @Test func `the digest is the same wherever the bytes are cut`() {
        var random = SplitMix64(seed: 5)
        let bytes = random.bytes(260)
        let whole = Self.digest(bytes)
        for cut in 0...bytes.count {
            var builder = ContentDigest.Builder()
            builder.append(Array(bytes[..<cut]).span.bytes)
            #expect(builder.digest == Self.digest(bytes[..<cut]), "the part before \(cut)")
            builder.append(Array(bytes[cut...]).span.bytes)
            #expect(builder.digest == whole, "cut at \(cut)")
        }
    }

    @Test func `a builder goes on after it was asked, and a copy goes its own way`() {
        var first = ContentDigest.Builder()
        first.append(Array("ab".utf8).span.bytes)
        var second = first
        first.append(Array("c".utf8).span.bytes)
        second.append(Array("d".utf8).span.bytes)
        #expect(first.digest == Self.digest("abc".utf8) && first.digest == Self.digest("abc".utf8))
        #expect(second.digest == Self.digest("abd".utf8))
    }

    @Test func `a digest is read from hexadecimal digits of either case, and from nothing else`() {
        let digest = Self.digest("x".utf8)
        #expect(digest.bytes.count == 32 && digest.hexadecimal.count == 64 && "\(digest)" == digest.hexadecimal)
        #expect(ContentDigest(hexadecimal: digest.hexadecimal.uppercased()) == digest)
        let digits = digest.hexadecimal
        for text in ["", String(digits.dropLast()), digits + "0", String(digits.dropLast()) + "g", String(digits.dropLast()) + " ", String(digits.dropLast()) + "٣"] {
            #expect(ContentDigest(hexadecimal: text) == nil, "\(text)")
        }
        #expect(Set([digest, Self.digest("x".utf8), Self.digest("y".utf8)]).count == 2)
    }

    // MARK: Files

    @Test(arguments: [0, 1, 65_535, 65_536, 65_537, 300_000]) func `a file has the digest of its bytes, also by way of a link`(size: Int) throws {
        let directory = try ScratchDirectory()
        var random = SplitMix64(seed: UInt64(size))
        let bytes = random.bytes(size)
        try Data(bytes).write(to: URL(fileURLWithPath: directory.file("f")))
        try FileManager.default.createSymbolicLink(atPath: directory.file("link"), withDestinationPath: "f")
        for name in ["f", "link"] { #expect(try ContentDigest(ofFile: directory.file(name)) == Self.digest(bytes), "\(name)") }
    }

    private static func refusal(_ path: String) -> GinnelError? {
        do {
            _ = try ContentDigest(ofFile: path)
            return nil
        } catch {
            return error as? GinnelError
        }
    }

    @Test func `a file that is not there, no file or not to be read is named with the reason`() throws {
        let directory = try ScratchDirectory()
        let missing = try #require(Self.refusal(directory.file("none")))
        #expect(missing.code == .notFound && missing.path == directory.file("none") && missing.cause?.native == ENOENT)
        let folder = try #require(Self.refusal(directory.path))
        #expect(folder.code == .invalid && folder.sentence.contains("regular files"))
        #expect(mkfifo(directory.file("pipe"), 0o600) == 0)
        #expect(Self.refusal(directory.file("pipe"))?.code == .invalid)
        #expect(Self.refusal("/dev/zero")?.code == .invalid)
        try Data("x".utf8).write(to: URL(fileURLWithPath: directory.file("f")))
        // What stands before the zero byte is another file.
        #expect(Self.refusal(directory.file("f\0g"))?.code == .invalid)
    }

    @Test(.isolated) func `a file whose opening or reading fails says which, and with what`() throws {
        let directory = try ScratchDirectory()
        try Data("x".utf8).write(to: URL(fileURLWithPath: directory.file("f")))
        _ = gn_fault_add("openat", 0, 1, EACCES)
        #expect(Self.refusal(directory.file("f"))?.code == .denied)
        _ = gn_fault_add("read", 0, 1, EIO)
        let unreadable = try #require(Self.refusal(directory.file("f")))
        #expect(unreadable.code == .other && unreadable.cause?.native == EIO && unreadable.cause?.operation == "read")
        #expect(Self.refusal(directory.file("f")) == nil)
    }

    @Test func `a task that is cancelled takes no digest`() async throws {
        let directory = try ScratchDirectory()
        try Data("x".utf8).write(to: URL(fileURLWithPath: directory.file("f")))
        let path = directory.file("f")
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try ContentDigest(ofFile: path)
        }
        await #expect(throws: CancellationError.self) { _ = try await task.value }
    }
}
