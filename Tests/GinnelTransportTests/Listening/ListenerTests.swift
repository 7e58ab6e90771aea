import CTestSupport
import GinnelCore
import GinnelTesting
import GinnelTransport
import Testing

@Suite(.timeLimit(.minutes(5))) struct ListenerTests {
    private let directory: ScratchDirectory
    private var endpoint: Endpoint { .path(directory.file("s")) }

    init() throws { directory = try ScratchDirectory() }

    @Test func `whoever connects is accepted, each on a channel of its own`() async throws {
        try await withLoop { loop in
            let listener = try await TestListener(endpoint, on: loop)
            let clients = try (0..<100).map { _ in try Connector.connectOnce(to: endpoint) }
            for (number, client) in clients.enumerated() { #expect(client.say([UInt8(number)]) == .took(1)) }
            let channels = try await listener.accepted.wait { $0.count == 100 }
            #expect(channels.map { $0.hear().bytes } == (0..<100).map { [UInt8($0)] })
            try await listener.close()
        }
    }

    @Test func `connections that came before the start are accepted at the start, more than fit into one turn too`() async throws {
        try await withLoop { loop in
            let listener = try await TestListener(endpoint, on: loop, starts: false)
            let clients = try (0..<200).map { _ in try Connector.connectOnce(to: endpoint) }
            try await loop.run {}
            #expect(listener.accepted.value.isEmpty)
            try await listener.start()
            try await listener.accepted.wait { $0.count == clients.count }
            try await listener.close()
        }
    }

    @Test func `no more are accepted than the pace allows, and the rest when its time has come`() async throws {
        try await withLoop { loop in
            let times = Watched([UInt64]())
            let resumesAt = Watched<UInt64>(0)
            let listener = try await TestListener(endpoint, on: loop, starts: false) { now in
                guard
                    times.change({ times in
                        times.append(now)
                        return times.count
                    }) == 3
                else { return nil }
                return resumesAt.change { time in
                    time = now + 30_000_000
                    return time
                }
            }
            let clients = try (0..<5).map { _ in try Connector.connectOnce(to: endpoint) }
            #expect(try await listener.startAndCount() == 3)
            // Further ones do not hurry it.
            let late = try Connector.connectOnce(to: endpoint)
            try await listener.accepted.wait { $0.count == clients.count + 1 }
            #expect(times.value[..<3].allSatisfy { $0 < resumesAt.value })
            #expect(times.value[3...].allSatisfy { $0 >= resumesAt.value })
            _ = late
            try await listener.close()
        }
    }

    @Test func `the admission's rate is kept by the listener`() async throws {
        try await withLoop { loop in
            var limits = ConnectionLimits.defaults
            limits.acceptedPerSecond = 2
            let admission = Guarded(Admission(limits))
            let listener = try await TestListener(endpoint, on: loop, starts: false) { now in admission.withLock { $0.pace(now) } }
            let clients = try (0..<3).map { _ in try Connector.connectOnce(to: endpoint) }
            #expect(try await listener.startAndCount() == 2)
            try await listener.accepted.wait { $0.count == clients.count }
            try await listener.close()
        }
    }

    @Test func `an endpoint that is closed has no socket and no lock, and its connections go on`() async throws {
        try await withLoop { loop in
            let listener = try await TestListener(endpoint, on: loop)
            #expect(exists(directory.file("s")) && exists(directory.file("s.lock")))
            let client = try Connector.connectOnce(to: endpoint)
            let channel = try await listener.accepted.wait { $0.count == 1 }[0]
            try await listener.close()
            #expect(!exists(directory.file("s")) && !exists(directory.file("s.lock")))
            let error = await ginnelError { _ = try Connector.connectOnce(to: endpoint) }
            #expect(error?.code == .notFound)
            #expect(client.say([7]) == .took(1))
            #expect(channel.hear().bytes == [7])
        }
    }

    @Test func `a listener that nobody holds any more frees its endpoint`() async throws {
        try await withLoop { loop in
            for _ in 0..<3 { _ = try await TestListener(endpoint, on: loop, starts: false) }
            #expect(!exists(directory.file("s")))
        }
    }

    @Test func `a listener takes over what listens already`() async throws {
        try await withLoop { loop in
            let path = directory.file("s")
            let listener = try await TestListener(.inheritedListener(Int(ts_listen(path))), on: loop)
            let client = try Connector.connectOnce(to: endpoint)
            let channel = try await listener.accepted.wait { $0.count == 1 }[0]
            #expect(client.say([7]) == .took(1))
            #expect(channel.hear().bytes == [7])
            try await listener.close()
            #expect(exists(path), "the name belongs to whoever made it")
            let error = await ginnelError { _ = try Connector.connectOnce(to: endpoint) }
            #expect(error?.code == .notFound && error?.sentence.contains("gone") == true)
        }
    }

    @Test func `descriptors that do not listen are no listeners`() async throws {
        try await withLoop { loop in
            let (near, far) = try PlatformChannel.pair()
            let connected = try #require(near.release())
            defer { ts_close(Int32(connected)) }
            for endpoint in [Endpoint.inheritedListener(connected), .inheritedListener(100_000), .inheritedListener(-1), .inherited(connected)] {
                let error = await ginnelError { _ = try await TestListener(endpoint, on: loop) }
                #expect(error?.code == .invalid, "\(endpoint)")
            }
            _ = far
        }
    }

    @Test func `a service of a service manager is served by the process that was handed its socket`() async throws {
        try await withLoop { loop in
            let listening = ts_listen(directory.file("s"))
            let peer = try TestPeer(["activate"], inheriting: [Int(listening)])
            ts_close(listening)
            let end = try await DriverEnd.open(
                Connector.connectOnce(to: endpoint), NativeSession(role: .client, .plain()), role: .client, on: loop)
            let outcome = try await end.call([1, 2, 3]).outcome
            #expect(outcome == .replied([1, 2, 3]))
            #expect(end.driver.peer.user == PeerIdentity.own.user)
            end.driver.submit(.close(Failure(.shuttingDown, "")))
            _ = try await end.ending
            peer.child.kill()
            _ = try await peer.child.result()
        }
    }

    @Test func `nobody hands this process a listener`() { #expect(Endpoint.inheritedListeners.isEmpty) }
}
