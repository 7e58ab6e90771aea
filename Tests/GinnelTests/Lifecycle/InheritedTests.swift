// Services and clients of connections that they were given.

import Ginnel
import GinnelTransport
import Testing

@Suite(.serialized, .ownThread, .timeLimit(.minutes(5))) struct InheritedTests {
    @Test func `a service of one inherited connection ends with it`() async throws {
        let (ours, theirs) = try PlatformChannel.pair()
        guard let service = ours.release(), let client = theirs.release() else { return #expect(Bool(false), "a fresh pair has descriptors") }
        async let serving: Void = makeService(at: .inherited(service)).run()
        try await Client.connect(to: .inherited(client)) { client in
            let sum = try await client.call(Add(left: 1, right: 2))
            #expect(sum == Sum(value: 3))
        }
        try await serving
    }

    @Test func `waiting for a descriptor does not use it up`() async throws {
        let (ours, theirs) = try PlatformChannel.pair()
        guard let descriptor = ours.release() else { return #expect(Bool(false), "a fresh pair has descriptors") }
        let caught = try await errorOf(GinnelError.self) { try await Client.wait(for: .inherited(descriptor)) }
        #expect(caught.code == .invalid)
        try PlatformChannel.adopting(descriptor).abort()
        theirs.abort()
    }
}
