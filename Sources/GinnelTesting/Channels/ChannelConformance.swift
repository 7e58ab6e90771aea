// What every channel owes the driver, clause by clause, written against the `Channel` protocol alone.
//
// A test runs each clause for each kind of channel, with both ends on one loop and with each end on its own. To prove a new transport, add its `ChannelKind`
// to the list that the test walks through; nothing here changes. A clause throws a `ConformanceFailure` that says what was expected and what came. An event that does not
// come within two minutes is such a failure, so that a channel that forgets one is told apart from one that hangs the test.

package import GinnelTransport

package struct ChannelConformance: Sendable, CustomStringConvertible {
    /// What must hold, as a sentence.
    package let description: String
    private let body: @Sendable (ChannelPair) async throws -> Void

    init(_ sentence: String, _ body: @escaping @Sendable (ChannelPair) async throws -> Void) {
        description = sentence
        self.body = body
    }

    /// All clauses.
    package static let clauses = reading + writing + ending

    /// Where the two ends of a pair live.
    package enum Placement: Sendable, CaseIterable {
        case oneLoop
        case twoLoops
    }

    /// Checks this clause on a fresh pair.
    package func check(_ kind: ChannelKind, _ placement: Placement, _ engine: Engine = .reactor) async throws {
        let first = try await EventLoopGroup.start(name: "conformance", count: 1, .defaults, engine: engine)
        do {
            let second = placement == .oneLoop ? first : try await EventLoopGroup.start(name: "conformance", count: 1, .defaults, engine: engine)
            let result = await Result { () async throws in try await check(kind, first.loops[0], second.loops[0]) }
            await second.stop()
            try result.get()
        } catch {
            await first.stop()
            throw error
        }
        await first.stop()
    }

    private func check(_ kind: ChannelKind, _ first: EventLoop, _ second: EventLoop) async throws {
        let pair = try await ChannelPair(kind, first, second)
        let result = await Result { () async throws in try await body(pair) }
        await pair.first.discard()
        await pair.second.discard()
        try result.get()
    }
}

/// Two connected ends, neither of them attached.
package struct ChannelPair: Sendable {
    package let first: ChannelEnd
    package let second: ChannelEnd

    init(_ kind: ChannelKind, _ firstLoop: EventLoop, _ secondLoop: EventLoop) async throws {
        let (first, second) = try await kind.make(firstLoop)
        self.first = ChannelEnd(first, on: firstLoop)
        self.second = ChannelEnd(second, on: secondLoop)
    }

    /// Attaches both.
    func attached() async throws -> (ChannelEnd, ChannelEnd) {
        try await first.attach()
        try await second.attach()
        return (first, second)
    }
}

/// A clause that does not hold.
package struct ConformanceFailure: Error, CustomStringConvertible {
    package let description: String

    init(_ sentence: String) { description = sentence }
}

func require(_ condition: Bool, _ sentence: @autoclosure () -> String) throws(ConformanceFailure) {
    if !condition { throw ConformanceFailure(sentence()) }
}

extension Result where Failure == any Error {
    init(_ body: () async throws -> Success) async {
        do {
            self = .success(try await body())
        } catch {
            self = .failure(error)
        }
    }
}
