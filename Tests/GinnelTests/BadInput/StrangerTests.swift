// Peers that never get through the handshake: what they read, what our log says, and that nobody else notices.

import Foundation
import Ginnel
import GinnelTesting
import GinnelTransport
import Testing

@Suite(.serialized, .ownThread, .timeLimit(.minutes(5))) struct StrangerTests {
    @Test(arguments: 1...8) func `random bytes are ended without a word`(seed: UInt64) async throws {
        try await withNeighbour { running, neighbour in
            var random = SplitMix64(seed: seed)
            var bytes = (0..<Int(random.next() % 5000) + 8).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            bytes[0] = UInt8(ascii: "g")
            let peer = try RawPeer(connectingTo: running.path)
            try await peer.send(bytes)
            #expect(try await peer.readToEnd().isEmpty)
            try await running.log.entry(ended(.protocolViolation), "first bytes")
            try await neighbour.check()
        }
    }

    @Test(arguments: ["GET / HTTP/1.1\r\n\r\n", "GINNE1\u{1}\u{0}", "\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}", "ginnel\u{1}\u{0}"])
    func `a wrong preamble is ended without a word`(text: String) async throws {
        try await withNeighbour { running, _ in
            let peer = try RawPeer(connectingTo: running.path)
            try await peer.send(Array(text.utf8))
            #expect(try await peer.readToEnd().isEmpty)
            try await running.log.entry(ended(.protocolViolation))
        }
    }

    @Test func `a stranger is recognised by its first wrong byte`() async throws {
        try await withNeighbour { running, _ in
            let peer = try RawPeer(connectingTo: running.path)
            try await peer.send([UInt8(ascii: "X")])
            #expect(try await peer.readToEnd().isEmpty)
        }
    }

    @Test func `a future version is refused by name`() async throws {
        try await withNeighbour { running, _ in
            let peer = try RawPeer(connectingTo: running.path)
            try await peer.send([0x47, 0x49, 0x4E, 0x4E, 0x45, 0x4C, 2, 0])
            try await peer.expectReject(.versionUnsupported)
            try await running.log.entry(ended(.versionUnsupported), "2")
        }
    }

    @Test func `minor versions that we do not speak are refused`() async throws {
        try await withNeighbour { running, _ in
            let peer = try RawPeer(connectingTo: running.path)
            try await peer.send(WireFrame.preamble + RawHello(versions: [3, 7]).frame().encoded)
            try await peer.expectReject(.versionUnsupported)
            try await running.log.entry(ended(.versionUnsupported), "3 to 7")
        }
    }

    @Test func `a client of another service is told so`() async throws {
        let name = uniqueName()
        let log = LogRecorder()
        var configuration = ServiceConfiguration.defaults
        configuration.log = log.log
        try await withService(makeService(at: .named(name), configuration: configuration)) {
            let path = try #require(try await log.entry("listening").metadata["path"])
            defer { try? FileManager.default.removeItem(atPath: URL(fileURLWithPath: path).deletingLastPathComponent().path) }
            let peer = try RawPeer(connectingTo: path)
            try await peer.send(WireFrame.preamble + RawHello(service: "another").frame().encoded)
            try await peer.expectReject(.wrongService)
            try await log.entry(ended(.wrongService), "another")
        }
    }

    /// What stands in place of HELLO, and what becomes of it.
    static let greetings: [(String, [UInt8], FailureCode)] = [
        ("a request", WireFrame.request(1, "echo").encoded, .protocolViolation),
        ("an unknown kind", WireFrame(99).encoded, .protocolViolation),
        ("an extension", WireFrame(200).encoded, .protocolViolation),
        ("a HELLO over the limit", WireFrame(WireFrame.Kind.hello, [UInt8](repeating: 0, count: 4097)).header, .frameTooLarge),
        ("a length of four billion", [0xFF, 0xFF, 0xFF, 0xFF] + WireFrame(WireFrame.Kind.hello).header[4...], .frameTooLarge),
        ("an empty HELLO", WireFrame(WireFrame.Kind.hello).encoded, .protocolViolation),
        ("a field that lies", WireFrame(WireFrame.Kind.hello, WireFrame.u16(1) + WireFrame.u16(500) + [0, 0]).encoded, .protocolViolation),
        ("the same field twice", WireFrame(WireFrame.Kind.hello, RawHello().frame().payload + WireFrame.field(1, [0, 0])).encoded, .protocolViolation),
        ("versions backwards", RawHello(versions: [1, 0]).frame().encoded, .protocolViolation),
        ("a maximum message of 1", RawHello(maximumMessage: 1).frame().encoded, .protocolViolation),
        ("a window under the maximum message", RawHello(maximumMessage: 5000, window: 4000).frame().encoded, .protocolViolation),
        ("an item window of 0", RawHello(itemWindow: 0).frame().encoded, .protocolViolation),
        (
            "handles",
            {
                var frame = RawHello().frame()
                frame.handles = 1
                return frame.encoded
            }(), .protocolViolation
        ),
        ("a WELCOME", RawHello().frame(WireFrame.Kind.welcome).encoded, .protocolViolation),
    ]

    @Test(arguments: greetings) func `a bad greeting is rejected with a code`(name: String, bytes: [UInt8], code: FailureCode) async throws {
        try await withNeighbour { running, _ in
            let peer = try RawPeer(connectingTo: running.path)
            try await peer.send(WireFrame.preamble + bytes)
            try await peer.expectReject(code)
            try await running.log.entry(ended(code))
        }
    }

    @Test(arguments: [0, 1, 8, 20, 40]) func `a peer that connects and says too little is shown out in time`(count: Int) async throws {
        var configuration = ServiceConfiguration.defaults
        configuration.timeouts.handshake = .milliseconds(300)
        try await withNeighbour(configuration) { running, _ in
            let peer = try RawPeer(connectingTo: running.path)
            try await peer.send(Array((WireFrame.preamble + RawHello().frame().encoded).prefix(count)))
            try await peer.expectReject(.handshakeTimeout)
            try await running.log.entry(ended(.handshakeTimeout), "timeouts.handshake")
        }
    }

    @Test func `a peer that its policy refuses reads a code and nothing else, before it has said a word`() async throws {
        try await withRunning(policy: .users([54_321])) { running in
            let peer = try RawPeer(connectingTo: running.path)
            try await peer.expectReject(.peerRefused, sentence: false)
            try await running.log.entry("a peer was refused", "not among those allowed")
        }
    }

    @Test func `a peer that is refused by another format reads nothing`() async throws {
        try await withRunning(format: .taggedJSON(), policy: .users([54_321])) { running in
            let peer = try RawPeer(connectingTo: running.path)
            #expect(try await peer.readToEnd().isEmpty)
            try await running.log.entry("a peer was refused", "not among those allowed")
        }
    }

    @Test func `a peer that leaves before the handshake is no harm`() async throws {
        try await withNeighbour { running, _ in
            for count in [0, 3, 8, 30] {
                let peer = try RawPeer(connectingTo: running.path)
                try await peer.send(Array((WireFrame.preamble + RawHello().frame().encoded).prefix(count)))
                peer.close()
            }
            try await running.log.entries.wait { $0.count { $0.message.contains("connection lost") } == 4 }
        }
    }
}
