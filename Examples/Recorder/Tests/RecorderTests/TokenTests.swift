import Foundation
import RecorderMessages
import Testing

@testable import RecorderService

@Suite struct TokenTests {
    private static func withFile(_ body: (ApprovalTokenFile) throws -> Void) throws {
        let directory = NSTemporaryDirectory() + "/recorder-token-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try body(ApprovalTokenFile(path: directory + "/omnirec/approval-token"))
    }

    private static func mode(_ path: String) throws -> Int? { try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int }

    @Test func `a new token has 64 hexadecimal digits and is another each time`() {
        let tokens = (0..<100).map { _ in ApprovalToken.random() }
        #expect(tokens.allSatisfy(ApprovalToken.isWellFormed))
        #expect(Set(tokens).count == 100)
    }

    @Test func `a stored token is this user's alone, and the last one counts`() throws {
        try Self.withFile { file in
            #expect(file.read() == nil)
            let tokens = [ApprovalToken.random(), ApprovalToken.random()]
            for token in tokens {
                try file.write(token)
                #expect(file.read() == token)
                #expect(try Self.mode(file.path) == 0o600)
                #expect(try Self.mode((file.path as NSString).deletingLastPathComponent) == 0o700)
            }
            #expect(file.verdict(on: tokens[0]) == .invalid)
            #expect(file.verdict(on: tokens[1]) == .valid)
            let left = try FileManager.default.contentsOfDirectory(atPath: (file.path as NSString).deletingLastPathComponent)
            #expect(left == ["approval-token"])
        }
    }

    @Test func `a token that is not the stored one to the letter is invalid`() throws {
        try Self.withFile { file in
            let token = ApprovalToken.random()
            #expect(file.verdict(on: token) == .invalid)
            #expect(file.verdict(on: "") == .invalid)
            // Written by hand, with what editors leave behind.
            try file.write(token + "\n")
            #expect(file.verdict(on: token) == .valid)
            for wrong in ["", String(token.dropLast()), token + "0", token + "\n", String(token.reversed()) + " ", String(token.dropLast()) + "x"] {
                #expect(file.verdict(on: wrong) == .invalid, "\(wrong)")
            }
        }
    }

    @Test func `what is no token in the file is none`() throws {
        try Self.withFile { file in
            for text in ["", "secret", String(repeating: "g", count: 64), String(repeating: "0", count: 65)] {
                try file.write(text)
                #expect(file.read() == nil)
                #expect(file.verdict(on: text) == .invalid)
            }
        }
    }
}
