// Moments that a review has found too short to be seen: room that comes while somebody is being told that there is none, and a handler that begins as its service ends.

import Foundation
import GinnelCore
import GinnelTesting
import GinnelTransport
import Testing

@testable import Ginnel

/// A disk that keeps nothing, and says so when it is told to.
private final class FailingStore: OutboxStore {
    private let held = Guarded([@Sendable (GinnelError?) -> Void]())

    func load() async throws -> StoredOutbox { StoredOutbox(sender: try Identity.random()) }

    func make(_ change: OutboxChange, done: @escaping @Sendable (GinnelError?) -> Void) {
        if case .store = change { held.withLock { $0.append(done) } } else { done(nil) }
    }

    func close() async {}

    var count: Int { held.withLock { $0.count } }

    func fail() { held.withLock { $0.removeFirst() }(GinnelError(.exhausted, "the disk is full")) }
}

@Suite(.serialized, .ownThread, .timeLimit(.minutes(2))) struct DeliveryRaceTests {
    @Test func `who is told to wait for room hears of room that comes in the same moment`() async throws {
        let store = FailingStore()
        var limits = OutboxLimits()
        limits.messages = 2
        let sender = MessageSender(Outbox(restoring: try await store.load(), limits: limits), store: store, metrics: Recorder(lanes: 1, Instruments()))
        // One that stays, so that the outbox is never empty.
        _ = try await sender.send(OutboxMessage(name: "stays"))
        @Sendable func send() async -> Bool { (try? await sender.send(OutboxMessage(name: "note", isDurable: true))) != nil }
        var occupant = Task { await send() }
        for round in 0..<2000 {
            while store.count == 0 { await Task.yield() }
            let next = Task { await send() }
            // From too early to too late.
            for _ in 0..<round % 40 { await Task.yield() }
            store.fail()
            #expect(await !occupant.value)
            occupant = next
        }
        while store.count == 0 { await Task.yield() }
        store.fail()
        #expect(await !occupant.value)
    }

    @Test func `a handler of messages that begins as its service ends is cancelled, and may do then what it likes`() async throws {
        try await withRunning { running in
            try await running.connect { client in
                try await client.checkIsServed()
                let connection = try #require(running.service.connections.first)
                for round in 0..<40 { try await Self.endWhileBeginning(running.service, connection, round) }
            }
        }
    }

    private static func endWhileBeginning(_ service: Service, _ connection: Connection, _ round: Int) async throws {
        let tasks = HandlerTasks()
        let receiver = MessageReceiver(.defaults, tasks: tasks, metrics: service.recorder) { _, _, _ in }
        receiver.add(
            Note.name,
            MessageHandler(Note.self, .concurrent, nil) { _, _ in
                receiver.cancelAll()
                await withTaskCancellationHandler {
                    while !Task.isCancelled { await Task.yield() }
                } onCancel: {
                    // Whoever calls this with the receiver's lock waits for itself.
                    _ = receiver.wantedFields
                }
            })
        // So many that to look through them holds the lock for a while, and the beginning of the handler waits there.
        for number in 0..<1000 { receiver.add("\(number)", MessageHandler(Note.self, .concurrent, .sameUser) { _, _ in }) }
        let isOver = Guarded(false)
        Thread.detachNewThread { while !isOver.withLock({ $0 }) { _ = receiver.wantedFields } }
        defer { isOver.withLock { $0 = true } }
        try #require(receiver.connected(connection, Identity(high: 9, low: UInt64(round))))
        let message = IncomingDelivery(id: 1, floor: 1, redelivered: false, lane: .normal, name: Note.name, codec: Note.codec, payload: .owned(try Note(number: 1).encoded()))
        receiver.received(message, of: RawSpan(), on: connection)
        await tasks.waitForAll()
        receiver.lost(connection)
    }
}
