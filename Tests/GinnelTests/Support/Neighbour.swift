// A well-behaved client of the same service, to see that nobody else's bad manners harm it.

import Ginnel
import GinnelTesting
import Testing

struct Neighbour: Sendable {
    let client: Client

    /// It is served, by plain and async handlers and by a stream.
    func check() async throws {
        try await client.checkIsServed()
        #expect(try await client.call(Add(left: 20, right: 22)) == Sum(value: 42))
        var count = 0
        for try await _ in try await client.open(Count(to: 10)) { count += 1 }
        #expect(count == 10)
    }
}

/// Runs `body` beside a neighbour that is served before, is there during, and is served after, on its old connection and on a new one.
func withNeighbour(
    _ configuration: ServiceConfiguration = .defaults, transports: Set<Transport> = [.socket], prepare: (Service) -> Void = { _ in },
    _ body: @escaping @concurrent @Sendable (Running, Neighbour) async throws -> Void
) async throws {
    try await withRunning(configuration, transports: transports, prepare: prepare) { running in
        try await running.connect { client in
            let neighbour = Neighbour(client: client)
            try await neighbour.check()
            try await body(running, neighbour)
            try await neighbour.check()
        }
        try await running.connect { try await Neighbour(client: $0).check() }
    }
}

/// What the log says of a connection that this side ended.
func ended(_ code: FailureCode) -> String { "a connection ended: closed by this side, \(code)" }

extension RawPeer {
    /// The connection ends with this word, and with nothing after it; what came before is passed over.
    func expectGoodbye(_ code: FailureCode) async throws {
        let last = try await framesToEnd().last
        #expect(last?.kind == WireFrame.Kind.goodbye)
        #expect(last?.failureCode == code.rawValue)
    }

    /// The connection is refused with this code: preamble, REJECT, end.
    func expectReject(_ code: FailureCode, sentence isSaid: Bool = true) async throws {
        let bytes = try await readToEnd()
        #expect(bytes.starts(with: WireFrame.preamble))
        let frames = WireFrame.all(in: bytes)
        #expect(frames.count == 1)
        #expect(frames.first?.kind == WireFrame.Kind.reject)
        #expect(frames.first?.failureCode == code.rawValue)
        // A code and a sentence of no bytes, or more.
        #expect((frames.first?.payload.count ?? 0 > 6) == isSaid)
    }
}
