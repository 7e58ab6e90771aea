// Tests/Peers/sealed.py, a program in another language that was written from the protocol's page, with the same libraries and none of our code.

#if Encryption && Compression
import Foundation
import GinnelTesting
import GinnelTransport
import Testing

@testable import Ginnel

@Suite(.serialized, .ownThread, .timeLimit(.minutes(5))) struct SealedPeerTests {
    private static let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../Peers/sealed.py").standardizedFileURL.path

    private static func hexadecimal(_ bytes: [UInt8]) -> String { bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() }

    @Test(arguments: [true, false]) func `a client in another language compresses and encrypts`(isPinned: Bool) async throws {
        let (service, client) = (try KeyPair(), try KeyPair())
        let key = ChannelEnd.pattern(32, seed: 9)
        var configuration = ServiceConfiguration.defaults
        configuration.compression = .zstd()
        configuration.encryption = isPinned ? try .pinned(service, peers: [client.publicKey]) : try .preShared(key)
        let keys = isPinned ? ["pinned", Self.hexadecimal(client.secretKey), Self.hexadecimal(service.publicKey)] : ["shared", Self.hexadecimal(key)]
        try await withRunning(configuration) { running in
            let child = try Child(["python3", "-B", Self.script, running.path] + keys, program: "/usr/bin/env")
            #expect(try await child.status() == 0)
            try await child.line("end")
            #expect(
                child.lines.all == [
                    "echo 111000 True compressed", "echo 20000 True as it is", "echo 111000 True compressed", "echo 0 True as it is", "end",
                ])
            let entry = try await running.log.entry("a connection ended")
            #expect(entry.message.contains("closed by the peer, finished"))
        }
    }
}
#endif
