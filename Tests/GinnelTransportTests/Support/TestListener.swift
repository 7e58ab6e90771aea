// A listener on a loop, and what it has accepted and complained of.

import GinnelCore
import GinnelTesting
import GinnelTransport

struct TestListener: Sendable {
    let listener: Listener
    let loop: EventLoop
    let accepted: Watched<[any Channel]>
    let troubles: Watched<[GinnelError]>

    /// What a client reads for whom there is no descriptor.
    static let refusal: [UInt8] = Array("no room".utf8)

    init(
        _ endpoint: Endpoint, on loop: EventLoop, access: Access = .currentUser, backlog: Int = 511, starts: Bool = true,
        pace: @escaping Listener.Pace = { _ in nil }
    ) async throws {
        let accepted = Watched([any Channel]())
        let troubles = Watched([GinnelError]())
        var options = ListenOptions()
        options.access = access
        options.backlog = backlog
        let listener = try Listener(
            endpoint, options, loop: loop, refusal: Self.refusal, accept: { channel in accepted.change { $0.append(channel) } }, pace: pace,
            trouble: { error in troubles.change { $0.append(error) } })
        self.listener = listener
        self.loop = loop
        self.accepted = accepted
        self.troubles = troubles
        if starts { try await start() }
    }

    func start() async throws { try await loop.run { [listener] in try listener.start() } }

    /// How many are accepted at the start, before anything else can happen.
    func startAndCount() async throws -> Int {
        try await loop.run { [listener, accepted] in
            try listener.start()
            return accepted.value.count
        }
    }

    func close() async throws { try await loop.run { [listener] in listener.close() } }
}

/// What an operation throws, which must be a `GinnelError`.
func ginnelError(_ body: () async throws -> Void) async -> GinnelError? {
    do {
        try await body()
        return nil
    } catch {
        return error as? GinnelError
    }
}

extension Channel {
    /// Writes without waiting; the bytes are few.
    func say(_ bytes: [UInt8]) -> WriteOutcome { bytes.withUnsafeBytes { write($0) } }

    /// Reads once.
    func hear() -> (outcome: ReadOutcome, bytes: [UInt8]) {
        var bytes = [UInt8](repeating: 0, count: 4096)
        let outcome = bytes.withUnsafeMutableBytes { read(into: $0) }
        return if case .bytes(let count, _) = outcome { (outcome, Array(bytes[..<count])) } else { (outcome, []) }
    }
}
