// What a client has on disk, and the store through which a start of it gets there. Changes are made one after the other and take their time; when the program dies, the first few of those that were
// taken were made and the others were not.

import Ginnel
import GinnelCore
import GinnelTesting

/// `@unchecked Sendable`: one thread touches it.
final class Disk: @unchecked Sendable {
    private var sender: Identity?
    private var reserved: UInt64 = 0
    private var entries: [UInt64: OutboxEntry] = [:]

    /// The messages that a start would bring back.
    var keys: Set<Key> { Set(entries.values.compactMap { try? Parcel(decoding: $0.message.payload.span.bytes).key }) }

    func load() throws -> StoredOutbox {
        let sender = try self.sender ?? .random()
        self.sender = sender
        return StoredOutbox(sender: sender, reserved: reserved, entries: entries.values.sorted { $0.id < $1.id })
    }

    func apply(_ change: OutboxChange) {
        switch change {
        case .store(let entry): entries[entry.id] = entry
        case .reserve(let last): reserved = last
        case .remove(let ids): for id in ids { entries[id] = nil }
        }
    }
}

/// `@unchecked Sendable`: one thread touches it.
final class DiskStore: OutboxStore, @unchecked Sendable {
    private typealias Work = (change: OutboxChange, done: @Sendable (GinnelError?) -> Void)

    private let disk: Disk
    private let host: Host
    private let plan: Plan
    private let life: Life
    private let trace: Trace
    private var work: [Work] = []
    private var isWorking = false
    private var isClosed = false
    private var closers: [CheckedContinuation<Void, Never>] = []

    init(_ disk: Disk, _ world: World, _ life: Life) { (self.disk, host, plan, trace, self.life) = (disk, world.host, world.plan, world.trace, life) }

    func load() async throws -> StoredOutbox {
        try await host.sleep(for: .nanoseconds(Int64(host.someTime(20_000_000))))
        return try disk.load()
    }

    func make(_ change: OutboxChange, done: @escaping @Sendable (GinnelError?) -> Void) {
        if isClosed || !life.isAlive {
            host.after(0) { done(GinnelError(.closed, "the store is closed")) }
            return
        }
        if plan.fault == .reportsBeforeStoring, case .store = change {
            host.after(0) { done(nil) }
            work.append((change, { _ in }))
        } else {
            work.append((change, done))
        }
        goOn()
    }

    func close() async {
        isClosed = true
        await withCheckedContinuation { continuation in
            if work.isEmpty { continuation.resume() } else { closers.append(continuation) }
        }
    }

    private func goOn() {
        guard !isWorking, !work.isEmpty else { return }
        isWorking = true
        host.after(host.someTime(30_000_000)) { [self] in
            isWorking = false
            guard !work.isEmpty else { return }
            let (change, done) = work.removeFirst()
            let fails = plan.diskFailures > 0 && host.now < Plan.duration && host.random.oneIn(plan.diskFailures)
            if !fails { disk.apply(change) }
            trace.note(.disk, change.kind, fails ? 1 : 0)
            done(fails ? GinnelError(.exhausted, "the disk is full") : nil)
            finish()
            goOn()
        }
    }

    private func finish() {
        guard work.isEmpty else { return }
        for closer in closers { closer.resume() }
        closers = []
    }

    /// The program has died.
    func stop() {
        for (change, _) in work.prefix(host.random.number(in: 0...work.count)) { disk.apply(change) }
        for (_, done) in work { host.after(0) { done(GinnelError(.closed, "the program is dead")) } }
        work = []
        finish()
    }
}

extension OutboxChange {
    /// For the trace.
    fileprivate var kind: Int {
        switch self {
        case .store: 0
        case .reserve: 1
        case .remove: 2
        }
    }
}
