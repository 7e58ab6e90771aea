// What is dear to read of a peer is read only when the verdict hangs on it: reading a stranger's program holds up a whole loop.

import Ginnel
import GinnelCore
import GinnelTransport
import Testing

@Suite struct StagedVerificationTests {
    /// A channel that is asked who its peer is, and for nothing else.
    private final class Asked: Channel {
        let peer: PeerIdentity
        let readings = Recorded<Set<PeerIdentity.Field>>()

        init(_ peer: PeerIdentity) { self.peer = peer }

        func identify(_ fields: Set<PeerIdentity.Field>) -> PeerIdentity {
            readings.append(fields)
            var known = peer
            if !fields.contains(.executable) { known.executable = nil }
            if !fields.contains(.digest) { known.digest = nil }
            return known
        }

        func read(into buffer: UnsafeMutableRawBufferPointer) -> ReadOutcome { .end }
        func write(_ bytes: UnsafeRawBufferPointer) -> WriteOutcome { .wouldBlock }
        func attach(to loop: EventLoop, token: UInt64) {}
        func close(drain: Duration) {}
        func abort() {}
    }

    private static let digest = String(repeating: "ab", count: 32)
    private static let tools = PeerPolicy.executables(named: ["tool"], in: ["/usr/bin"])

    private func channel(user: UInt32 = 5, executable: String? = "/usr/bin/tool") -> Asked {
        Asked(PeerIdentity(user: user, process: 7, executable: executable, digest: [UInt8](repeating: 0xAB, count: 32)))
    }

    @Test func `a peer of another user is refused without its program being read`() {
        let channel = channel(user: 6)
        let error = #expect(throws: GinnelError.self) {
            try PeerVerification(.allOf([.users([5]), .sha256([Self.digest])]), alsoReading: [.executable]).verify(channel)
        }
        #expect(error?.code == .refused && error?.peer?.user == 6)
        #expect(channel.readings.all == [[]])
    }

    @Test func `a program in the wrong place is refused without being read`() {
        let channel = channel(executable: "/tmp/tool")
        #expect(throws: GinnelError.self) { try PeerVerification(.allOf([.sha256([Self.digest]), Self.tools])).verify(channel) }
        #expect(channel.readings.all == [[], [.executable]])
    }

    @Test func `a peer that is accepted for its user has its program left alone`() throws {
        let channel = channel()
        _ = try PeerVerification(.anyOf([.sha256([Self.digest]), .users([5])])).verify(channel)
        #expect(channel.readings.all == [[]])
    }

    @Test func `a program whose digest decides is read once, and the verdict is on one reading of everything`() throws {
        let channel = channel()
        let peer = try PeerVerification(.allOf([.users([5]), Self.tools, .sha256([Self.digest])])).verify(channel)
        #expect(channel.readings.all == [[], [.executable], [.executable, .digest]])
        #expect(peer == channel.peer)
    }

    @Test func `what methods ask for later is read of those who are accepted, and read once`() throws {
        let accepted = channel()
        #expect(try PeerVerification(.users([5]), alsoReading: [.executable]).verify(accepted).executable == "/usr/bin/tool")
        #expect(accepted.readings.all == [[], [.executable]])
        let digested = channel()
        #expect(try PeerVerification(.sha256([Self.digest]), alsoReading: [.executable]).verify(digested) == digested.peer)
        #expect(digested.readings.all == [[], [.executable, .digest]])
    }
}
