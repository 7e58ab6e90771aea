// Invariant 1: the peer is verified before the first byte of it is read.

import GinnelCore
import GinnelTesting
import GinnelTransport
import Testing

@Suite(.timeLimit(.minutes(5))) struct DriverVerificationTests {
    private static let stranger = PeerIdentity(user: (PeerIdentity.own.user ?? 0) + 1, group: 1, process: 2)

    /// What the channel saw of an attempt to open a driver that is refused, and the error.
    private func refusal(
        _ machine: any SessionMachine, role: Role, identity: PeerIdentity = stranger
    ) async throws -> (script: ScriptedChannel.Script, error: GinnelError?) {
        try await withLoop { loop in
            let channel = ScriptedChannel(identity: identity)
            channel.say([1, 2, 3])
            let error = await #expect(throws: GinnelError.self) {
                _ = try await DriverEnd.open(channel, machine, role: role, on: loop)
            }
            try await loop.run {}
            return (channel.script.value, error)
        }
    }

    @Test func `a peer that is accepted is identified before anything is read`() async throws {
        try await withLoop { loop in
            let service = try await ScriptedService(on: loop)
            service.end.driver.submit(.close(Failure(.shuttingDown, "")))
            _ = try await service.end.ending
        }
        try await withLoop { loop in
            let channel = ScriptedChannel()
            channel.say([1])
            _ = try await DriverEnd.open(channel, NativeSession(role: .service, .plain()), role: .service, on: loop)
            #expect(Array(channel.script.value.calls.prefix(3)) == [.identify, .attach, .read])
        }
    }

    @Test func `a refused client of the native protocol reads a code, and not a byte of it is read`() async throws {
        let (script, error) = try await refusal(NativeSession(role: .service, .plain()), role: .service)
        #expect(script.readCount == 0)
        #expect(script.calls.first == .identify && script.calls.last == .close && script.writeCount == 1 && script.calls.count == 3)
        let frames = WireFrame.all(in: script.taken)
        #expect(frames.count == 1 && frames.first?.kind == WireFrame.Kind.reject)
        #expect(frames.first?.failureCode == FailureCode.peerRefused.rawValue)
        #expect(!String(decoding: script.taken, as: UTF8.self).contains("user"), "the reason is for our log, not for the stranger")
        #expect(error?.code == .refused)
        #expect(error?.peer == Self.stranger)
        #expect(error?.failure?.code == .peerRefused)
    }

    @Test func `a refused client of a format without a word for it is closed in silence`() async throws {
        let (script, _) = try await refusal(OrderedSession(role: .service, TaggedJSONConfiguration()), role: .service)
        #expect(script.calls == [.identify, .close])
        #expect(script.taken.isEmpty)
    }

    @Test func `a refused service is told nothing by its client`() async throws {
        let (script, error) = try await refusal(NativeSession(role: .client, .plain()), role: .client)
        #expect(script.calls == [.identify, .close])
        #expect(script.taken.isEmpty)
        #expect(error?.code == .refused)
    }

    @Test func `a peer of whom nothing is known is refused`() async throws {
        let (script, error) = try await refusal(NativeSession(role: .service, .plain()), role: .service, identity: PeerIdentity())
        #expect(script.readCount == 0)
        #expect(error?.code == .refused)
    }
}
