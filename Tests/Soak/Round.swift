// One round on this side: the other process is started, called and sent messages until both have done their part, or until it is killed.

import Foundation
import Ginnel
import GinnelTransport

struct Round: Sendable {
    let plan: Plan
    let directory: String
    let tally: Tally

    func run() async throws {
        let (ours, theirs) = try PlatformChannel.pair()
        let inherited = theirs.release() ?? -1
        let child = try ChildProcess(PeerIdentity.own.executable ?? "", ["peer", directory, "\(plan.seed)"], inheriting: [inherited])
        close(Int32(inherited))
        for name in ["calls", "streams"] {
            _ = try await Connector.wait(for: .path("\(directory)/\(name)"), timeout: .seconds(60), interval: .milliseconds(2))
        }
        // All are connected before it is killed: who only tries to connect goes on trying for a while.
        let killing = Killing(child, plan.killedAfter, connections: 1 + plan.streams)
        try await withThrowingTaskGroup { group in
            group.addTask { try await calls(killing) }
            group.addTask { try await streams(killing) }
            group.addTask { await killing.run() }
            try await group.waitForAll()
        }
        child.end(atOnce: true)
        while child.status == nil { await Task.yield() }
        withExtendedLifetime(ours) {}
        tally.note(rounds: 1, kills: plan.killedAfter == nil ? 0 : 1)
    }

    private func calls(_ killing: Killing) async throws {
        var configuration = ClientConfiguration.defaults
        configuration.sharedMemory.maximumRingBytes = plan.ringBytes
        configuration.log = .off
        try await killing.allow {
            try await Client.connect(to: .path(directory + "/calls"), configuration: configuration) { client in
                killing.begin()
                try await withThrowingTaskGroup { group in
                    for way in 0..<UInt64(plan.callers) {
                        group.addTask { try await Traffic.call(plan, way, tally) { method, payload in try await client.call(method, payload: payload).bytes } }
                    }
                    try await group.waitForAll()
                }
                guard client.transport == .sharedMemory else { throw Mismatch(description: "the calls went over the socket") }
            }
        }
    }

    private func streams(_ killing: Killing) async throws {
        try await EventLoop.run { loop in
            try await withThrowingTaskGroup { group in
                for way in 0..<UInt64(plan.streams) {
                    group.addTask {
                        try await killing.allow {
                            let stream = try await SharedMemoryStream.connect(to: .path(directory + "/streams"), options: plan.options, on: loop)
                            killing.begin()
                            do {
                                try await stream.send([UInt8(way)])
                                try await Traffic.exchange(plan, out: 100 + way, in: 200 + way, tally, on: stream)
                            } catch {
                                await stream.close()
                                throw error
                            }
                            await stream.close()
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
    }
}

/// Ends the other process when its time has come, and knows which errors that explains.
final class Killing: Sendable {
    private let child: ChildProcess
    private let microseconds: Int?
    private let connections: Int
    private let isKilled = Guarded(false)
    private let (begun, continuation) = AsyncStream.makeStream(of: Void.self)

    init(_ child: ChildProcess, _ microseconds: Int?, connections: Int) {
        self.child = child
        self.connections = connections
        self.microseconds = microseconds
    }

    /// One more is connected.
    func begin() { continuation.yield() }

    func run() async {
        guard let microseconds else { return }
        var count = 0
        for await _ in begun {
            count += 1
            if count == connections { break }
        }
        try? await Task.sleep(for: .microseconds(microseconds))  // not a wait: when it is killed is up to chance
        isKilled.withLock { $0 = true }
        child.end(atOnce: true)
    }

    /// Runs `body`; that its connection is lost is all right once the other process was killed.
    func allow(_ body: () async throws -> Void) async throws {
        do {
            try await body()
        } catch let error as CallError where isKilled.withLock({ $0 }) && (error.code == .connectionLost || error.code == .unavailable) {
        } catch let error as GinnelError where isKilled.withLock({ $0 }) && error.code == .closed {
        }
    }
}
