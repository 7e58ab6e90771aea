// A pre-shared key in a file: what is read, what is refused, and that both sides come to speak with it.

#if Encryption
import Foundation
import GinnelTransport
import Testing

@testable import Ginnel

@Suite(.serialized, .ownThread, .timeLimit(.minutes(2))) struct KeyFileTests {
    private static let digits = String(repeating: "0123456789abcdefFEDCBA9876543210", count: 2)

    /// A file with this text and mode.
    private func write(_ text: String, _ directory: String, mode: Int = 0o600) throws -> String {
        let path = directory + "/key"
        try? FileManager.default.removeItem(atPath: path)
        try #require(FileManager.default.createFile(atPath: path, contents: Data(text.utf8), attributes: [.posixPermissions: mode]))
        return path
    }

    @Test(arguments: ["", "\n", " \t\r\n"]) func `64 hexadecimal digits are a key, with white space around them`(around: String) async throws {
        try await withDirectory { directory in
            _ = try Encryption.keyFile(try write(around + Self.digits + around, directory))
        }
    }

    @Test func `whatever else stands in it is no key`() async throws {
        try await withDirectory { directory in
            let wrong = [
                "", "\n", String(Self.digits.dropLast()), Self.digits + "0", Self.digits.replacing("a", with: "g"), "0x" + Self.digits.dropFirst(2),
                Self.digits.prefix(32) + " " + Self.digits.suffix(31), String(repeating: " ", count: 1024) + Self.digits,
            ]
            for text in wrong {
                let path = try write(text, directory)
                let error = try await errorOf(GinnelError.self) { _ = try Encryption.keyFile(path) }
                #expect(error.code == .invalid && error.path == path && !"\(error)".contains("0123456789"), "\(error)")
            }
        }
    }

    @Test func `a file that others can read, a link and one that is missing are refused`() async throws {
        try await withDirectory { directory in
            for mode in [0o640, 0o604, 0o620, 0o666] {
                let error = try await errorOf(GinnelError.self) { _ = try Encryption.keyFile(try write(Self.digits, directory, mode: mode)) }
                #expect(error.code == .unsafe)
            }
            _ = try Encryption.keyFile(try write(Self.digits, directory, mode: 0o400))
            try FileManager.default.createSymbolicLink(atPath: directory + "/link", withDestinationPath: directory + "/key")
            #expect(try await errorOf(GinnelError.self) { _ = try Encryption.keyFile(directory + "/link") }.code == .unsafe)
            #expect(try await errorOf(GinnelError.self) { _ = try Encryption.keyFile(directory + "/missing") }.code == .notFound)
        }
    }

    @Test(arguments: [true, false]) func `service and client of one configuration file speak encrypted, and others are refused where it is required`(
        isRequired: Bool
    ) async throws {
        try await withDirectory { directory in
            let text = #"{"encryption": {"keyFile": "\#(try write(Self.digits, directory))", "required": \#(isRequired)}}"#
            let file = try ConfigurationFile(parsing: Array(text.utf8), from: "test.json")
            // What was read is kept: the file is not needed any more.
            try FileManager.default.removeItem(atPath: directory + "/key")
            try await withRunning(file.service()) { running in
                try await running.connect(file.client()) { client in
                    #expect(client.isEncrypted)
                    try await client.checkIsServed()
                }
                if isRequired {
                    let error = try await errorOf(GinnelError.self) { try await running.connect { _ in } }
                    #expect(error.failure?.code == .encryptionRequired)
                } else {
                    try await running.connect { client in #expect(!client.isEncrypted) }
                }
            }
        }
    }
}
#endif
