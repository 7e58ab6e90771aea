// Who may call what, beyond who may connect.

import Ginnel
import GinnelTransport
import Testing

@Suite(.serialized, .ownThread, .timeLimit(.minutes(5))) struct MethodPolicyTests {
    private static let nobody = PeerPolicy.users([])

    @Test func `a method may be closed to peers who may call others`() async throws {
        struct Guarded: Request {
            typealias Response = Sum
            static let method = "typed"
        }
        try await withRunning {
            $0.handle("plain", allowing: Self.nobody) { _, _ in [1] }
            $0.handle("async", allowing: Self.nobody) { _, _ async throws -> [UInt8] in [1] }
            $0.handle(Guarded.self, allowing: Self.nobody) { _, _ in Sum(value: 1) }
            $0.handle(Blocks.self, allowing: Self.nobody) { _, _, _ in }
            $0.handle("ours", allowing: .allOf([.sameUser, .sameDirectoryAsSelf])) { _, _ in [2] }
        } _: { running in
            try await running.connect { client in
                for method in ["plain", "async", "typed", "blocks"] {
                    let caught = try await errorOf(CallError.self) { _ = try await client.call(method, payload: []) }
                    #expect(caught.code == .forbidden)
                    #expect(caught.outcome == .notBegun)
                    // The reason is not for the stranger.
                    #expect(!caught.sentence.contains("user"))
                    try await running.log.entry("a call of \(method) was forbidden", "user")
                }
                let reply = try await client.call("ours", payload: [])
                #expect(reply.bytes == [2])
            }
        }
    }

    @Test func `what a method's policy needs to know of a peer is read when it connects`() async throws {
        let seen = Recorded<PeerIdentity>()
        let policy = PeerPolicy.custom("recording", wants: [.executable]) { peer in
            seen.append(peer)
            return .accepted
        }
        try await withRunning {
            $0.handle("guarded", allowing: policy) { _, _ in [] }
        } _: { running in
            try await running.connect { client in _ = try await client.call("guarded", payload: []) }
            #expect(seen.all.first?.executable == PeerIdentity.own.executable)
            #expect(seen.all.first?.executable != nil)
        }
    }
}
