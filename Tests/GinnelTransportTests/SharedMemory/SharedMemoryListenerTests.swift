// Whom a listener for streams lets in, and when.

import GinnelCore
import GinnelTesting
import GinnelTransport
import Testing

@Suite(.serialized, .timeLimit(.minutes(5))) struct SharedMemoryListenerTests {
    private let directory: ScratchDirectory
    private var endpoint: Endpoint { .path(directory.file("s")) }

    init() throws { directory = try ScratchDirectory() }

    /// Connected, offered a stream, and silent from then on.
    private func silentClients(_ count: Int) async throws -> [any Channel] {
        var clients: [any Channel] = []
        for _ in 0..<count {
            let client = try Connector.connectOnce(to: endpoint)
            try await hear(client) { if case .bytes = $0 { true } else { false } }
            clients.append(client)
        }
        return clients
    }

    private func hear(_ client: any Channel, until isIt: (ReadOutcome) -> Bool) async throws {
        while !isIt(withUnsafeTemporaryAllocation(byteCount: 64, alignment: 1) { client.read(into: $0) }) {
            try Task.checkCancellation()
            await Task.yield()
        }
    }

    @Test func `while as many wait as may, nobody is let in, until a stream is accepted`() async throws {
        try await EventLoop.run { [endpoint] loop in
            let listener = try await SharedMemoryListener.bind(endpoint, options: .small, on: loop)
            var clients: [SharedMemoryStream] = []
            for _ in 0..<SharedMemoryListener.waitingLimit { clients.append(try await SharedMemoryStream.connect(to: endpoint, options: .small, on: loop)) }
            var impatient = SharedMemoryStreamOptions.small
            impatient.handshakeTimeout = .milliseconds(50)
            let error = await #expect(throws: GinnelError.self) { try await SharedMemoryStream.connect(to: endpoint, options: impatient, on: loop) }
            #expect(error?.code == .timedOut)
            var accepted = [try await listener.accept()]
            clients.append(try await SharedMemoryStream.connect(to: endpoint, options: .small, on: loop))
            for _ in 0..<SharedMemoryListener.waitingLimit { accepted.append(try await listener.accept()) }
            for stream in clients + accepted { await stream.close() }
            await listener.close()
        }
    }

    @Test func `the end of an opening makes room as well`() async throws {
        try await EventLoop.run { [self] loop in
            let listener = try await SharedMemoryListener.bind(endpoint, options: .small, on: loop)
            let silent = try await silentClients(SharedMemoryListener.waitingLimit)
            async let connecting = SharedMemoryStream.connect(to: endpoint, options: .small, on: loop)
            silent[0].close(drain: .zero)
            let client = try await connecting
            await client.close()
            await listener.close()
        }
    }

    @Test func `where others may connect one user's silent clients leave room for others`() async throws {
        try await EventLoop.run { [self] loop in
            let refused = Handover<GinnelError>()
            let listener = try await SharedMemoryListener.bind(endpoint, access: .anyLocalUser, options: .small, on: loop) { refused.give($0) }
            let silent = try await silentClients(SharedMemoryListener.waitingLimit / 2)
            await #expect(throws: GinnelError.self) { try await SharedMemoryStream.connect(to: endpoint, options: .small, on: loop) }
            let error = try await refused.value
            #expect(error.code == .exhausted && error.failure?.code == .tooManyConnections)
            silent[0].close(drain: .zero)
            await listener.close()
        }
    }

    @Test func `no more streams are open at once than the limits say`() async throws {
        try await EventLoop.run { [endpoint] loop in
            var limits = ConnectionLimits.defaults
            limits.maximum = 1
            let refused = Handover<GinnelError>()
            let listener = try await SharedMemoryListener.bind(endpoint, limits: limits, options: .small, on: loop) { refused.give($0) }
            let first = try await SharedMemoryStream.connect(to: endpoint, options: .small, on: loop)
            let accepted = try await listener.accept()
            await #expect(throws: GinnelError.self) { try await SharedMemoryStream.connect(to: endpoint, options: .small, on: loop) }
            let error = try await refused.value
            #expect(error.code == .exhausted)
            await accepted.close()
            let second = try await SharedMemoryStream.connect(to: endpoint, options: .small, on: loop)
            for stream in [first, second] { await stream.close() }
            await listener.close()
        }
    }

    @Test func `a listener that closes lets go of clients that are still opening their streams, and complains of none`() async throws {
        try await EventLoop.run { [self] loop in
            let complaints = Watched([GinnelError]())
            let listener = try await SharedMemoryListener.bind(endpoint, options: .small, on: loop) { error in complaints.change { $0.append(error) } }
            let silent = try await silentClients(3)
            await listener.close()
            for client in silent { try await hear(client) { if case .end = $0 { true } else { false } } }
            #expect(complaints.value.isEmpty)
        }
    }
}
