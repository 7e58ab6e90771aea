// Sixty-four clients of one service in a process of its own. Each of them calls, opens streams, sends events and loses its connection, at random and all at once, for as long as one likes, and compares what it gets
// with what it alone has asked for.
//
// Half of a client's lives end by its own goodbye, and in between it has the service throw it out and connects again: what it gets then is its own as before.

import Foundation
import Ginnel
import GinnelTesting
import GinnelTransport

struct Crowd: Sendable {
    private static let count = 64
    /// Beyond the time that was asked for; a crowd that takes longer hangs.
    private static let patience = 120

    let seconds: Double
    private let tally = Guarded(Counts())

    private struct Counts: CustomStringConvertible {
        var (calls, streams, events, reconnects, lives) = (0, 0, 0, 0, 0)
        var description: String { "\(Crowd.count) clients, \(calls) calls, \(streams) streams, \(events) events, \(reconnects) reconnects, \(lives) lives" }
    }

    init(seconds: Double) { self.seconds = seconds }

    func run() async -> Never {
        let directory = FileManager.default.temporaryDirectory.path + "/ginnel-crowd-\(ProcessInfo.processInfo.processIdentifier)"
        let watch = Watch(.seconds(Int(seconds) + Self.patience)) {
            say("something is wrong: the crowd hangs, after \(tally.withLock { $0 })")
            exit(1)
        }
        do {
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
            defer { try? FileManager.default.removeItem(atPath: directory) }
            try await gather(at: directory + "/s")
        } catch {
            say("something is wrong: \(error), after \(tally.withLock { $0 })")
            exit(1)
        }
        watch.stop()
        say("all is well: \(tally.withLock { $0 })")
        exit(0)
    }

    private func gather(at path: String) async throws {
        let (ours, theirs) = try PlatformChannel.pair()
        let inherited = theirs.release() ?? -1
        let child = try ChildProcess(PeerIdentity.own.executable ?? "", ["crowd-service", path], inheriting: [inherited])
        close(Int32(inherited))
        _ = try await Connector.wait(for: .path(path), timeout: .seconds(60), interval: .milliseconds(2))
        let end = ContinuousClock.now + .seconds(seconds)
        try await EventLoop.run { loop in
            try await withThrowingTaskGroup { group in
                for number in 0..<Self.count { group.addTask { try await live(number, at: .path(path), on: loop, until: end) } }
                try await group.waitForAll()
            }
        }
        guard child.status == nil else { throw Mismatch(description: "the service has ended") }
        child.end(atOnce: true)
        withExtendedLifetime(ours) {}
    }

    /// One client after the other, of which each is once as long as it likes; the first one does everything once.
    private func live(_ number: Int, at endpoint: Endpoint, on loop: EventLoop, until end: ContinuousClock.Instant) async throws {
        var configuration = ClientConfiguration.defaults
        configuration.loop = .shared(loop)
        configuration.transports = number % 2 == 0 ? [.socket] : nil
        configuration.log = .off
        var life: UInt64 = 0
        repeat {
            life += 1
            try await Client.connect(to: endpoint, reconnect: .exponential(Backoff(base: .milliseconds(5)), attempts: nil), configuration: configuration) { [life] client in
                var member = Member(number: number, client: client, random: SplitMix64(seed: UInt64(number) << 32 + life))
                try await member.call()
                for step in 0..<20 where step < 4 || ContinuousClock.now < end {
                    let what = step < 4 ? step : member.random.number(in: 0...9)
                    switch what {
                    case 0, 4, 5: try await member.call()
                    case 1, 6, 7: try await member.stream()
                    case 2, 8, 9: try await member.send()
                    default: try await member.beThrownOut()
                    }
                    tally.withLock { counts in
                        switch what {
                        case 0, 4, 5: counts.calls += 1
                        case 1, 6, 7: counts.streams += 1
                        case 2, 8, 9: counts.events += 1
                        default: counts.reconnects += 1
                        }
                    }
                }
            }
            tally.withLock { $0.lives += 1 }
        } while ContinuousClock.now < end
    }
}

/// One client of the crowd, and what it compares.
private struct Member {
    let number: Int
    let client: Client
    var random: SplitMix64
    private var notes: EventStream<Note>.Iterator
    private var serial = 0

    init(number: Int, client: Client, random: SplitMix64) {
        (self.number, self.client, self.random) = (number, client, random)
        notes = client.events(of: Note.self).makeAsyncIterator()
    }

    /// Bytes that nobody else sends come back, back to front.
    mutating func call() async throws {
        let payload = random.bytes(random.number(in: 0...100_000))
        let reply = try await client.call(Traffic.method, payload: payload, isIdempotent: true)
        guard reply.bytes == Traffic.turn(payload) else { throw Mismatch(description: "client \(number) got a reply that is not its own") }
    }

    /// Numbers in a row that bear its own; half of the time it lets go before the end.
    mutating func stream() async throws {
        let request = Numbers(client: number, from: random.number(in: 0...1_000_000), count: random.number(in: 1...200))
        let enough = random.oneIn(2) ? request.count : random.number(in: 1...request.count)
        var due = request.from
        for try await item in try await client.open(request) {
            guard item == Note(client: number, serial: due) else { throw Mismatch(description: "client \(number) got \(item) in its stream in place of \(due)") }
            due += 1
            if due - request.from == enough { break }
        }
        guard due - request.from == enough else { throw Mismatch(description: "client \(number) got \(due - request.from) items of \(enough)") }
    }

    /// An event comes back, and to nobody else.
    mutating func send() async throws {
        serial += 1
        let note = Note(client: number, serial: serial)
        guard try await client.send(note) else { throw Mismatch(description: "an event of client \(number) was not taken") }
        let delivery = await notes.next()
        guard delivery == .event(note) else { throw Mismatch(description: "client \(number) got \(delivery.map { "\($0)" } ?? "nothing") in place of \(note)") }
    }

    /// Its connection ends, and it has another one when its next call is answered.
    mutating func beThrownOut() async throws {
        do {
            _ = try await client.call("throw out", payload: [])
            throw Mismatch(description: "client \(number) was not thrown out")
        } catch let error as CallError where error.code == .connectionLost {}
        try await call()
    }
}

struct Note: Event, Equatable {
    static let name = "note"
    var client: Int
    var serial: Int
}

struct Numbers: StreamRequest {
    typealias Item = Note
    static let method = "numbers"
    var client: Int
    var from: Int
    var count: Int
}

/// The service, in the other process.
enum CrowdService {
    static func run(at path: String) async throws {
        var configuration = ServiceConfiguration.defaults
        configuration.log = .off
        let service = Service(at: .path(path), transports: [.socket, .sharedMemory], configuration: configuration)
        service.handle(Traffic.method) { bytes, _ in Traffic.turn(bytes.withUnsafeBytes { [UInt8]($0) }) }
        service.handle(Numbers.self) { request, _, writer in
            for serial in request.from..<request.from + request.count { try await writer.send(Note(client: request.client, serial: serial)) }
        }
        service.handle(event: Note.self) { note, connection in _ = try? connection.send(note) }
        service.handle("throw out") { _, context in
            context.connection.close(.connectionLost, "as it wanted")
            return []
        }
        try await service.run()
    }
}
