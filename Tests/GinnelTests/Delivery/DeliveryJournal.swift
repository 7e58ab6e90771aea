// What the lives of a receiver that dies have written down (Tests/TestPeer, Receiving.swift), held against what their sender knows.

import Foundation
import Ginnel
import GinnelTransport

/// A message with its place among those of its sender and priority.
struct Numbered: Event {
    static let name = "numbered"
    var number: Int
}

struct JournalLine: Sendable, Equatable {
    var sender: String
    var id: UInt64
    var lane: String
    var number: Int
    var isRedelivered: Bool

    /// The whole lines of a journal; a last one that a kill has cut short was not written.
    static func texts(at path: String) throws -> [Substring] {
        guard let bytes = FileManager.default.contents(atPath: path) else { return [] }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false).dropLast()
    }

    static func all(at path: String) throws -> [JournalLine] {
        try texts(at: path).map { line in
            let words = line.split(separator: " ").map(String.init)
            guard words.count == 5, let id = UInt64(words[1]), let number = Int(words[3]), let isRedelivered = Bool(words[4]) else {
                throw NoError(expected: "a line, not \(line)")
            }
            return JournalLine(sender: words[0], id: id, lane: words[2], number: number, isRedelivered: isRedelivered)
        }
    }
}

/// The journals of all lives, one after the other.
struct DeliveryAccount {
    /// The number behind the highest that was handed on, of each lane.
    private(set) var next: [String: Int] = [:]
    /// Times that a message was handed to one life more.
    private(set) var repeated = 0
    private(set) var handed = 0
    private(set) var problems: [String] = []
    private var ids: [String: UInt64] = [:]
    private var senders: Set<String> = []

    /// - Parameter acknowledged: how many of each lane its sender had acknowledgements for before this life began.
    mutating func add(_ life: [JournalLine], acknowledged: [String: Int]) {
        var before: [String: JournalLine] = [:]
        for line in life {
            let end = next[line.lane] ?? 0
            if let last = before[line.lane] {
                if line.number != last.number + 1 { problems.append("\(line) behind \(last)") }
            } else {
                if line.number > end { problems.append("\(line), but the one behind all before is \(end)") }
                if line.number < acknowledged[line.lane] ?? 0 { problems.append("\(line) had been acknowledged") }
            }
            if line.number < end {
                repeated += 1
                if !line.isRedelivered { problems.append("\(line) is handed on again as if it were the first") }
            }
            // A message keeps its id.
            let key = "\(line.lane) \(line.number)"
            if ids.updateValue(line.id, forKey: key) ?? line.id != line.id { problems.append("\(line) had another id") }
            senders.insert(line.sender)
            before[line.lane] = line
            next[line.lane] = max(end, line.number + 1)
        }
        handed += life.count
        if senders.count > 1 { problems.append("one client is \(senders.count) senders") }
    }
}

/// A client that sends in all priorities without end, and counts what is acknowledged.
final class DeliveryLoad: Sendable {
    private let client: Client
    private let delivery: Delivery
    private let isDone = Guarded(false)
    private let sentCounts = Guarded([String: Int]())
    private let counts = Guarded([String: Int]())

    init(_ client: Client, _ delivery: Delivery) {
        self.client = client
        self.delivery = delivery
    }

    /// How many messages of each lane are acknowledged.
    var acknowledged: [String: Int] { counts.withLock { $0 } }
    var sent: [String: Int] { sentCounts.withLock { $0 } }

    /// Nothing more is sent.
    func finish() { isDone.withLock { $0 = true } }

    /// Returns when all that was sent is acknowledged, after `finish()`.
    func run() async throws {
        try await withThrowingTaskGroup { group in
            for priority in [Priority.high, .normal, .low] {
                let (receipts, continuation) = AsyncStream.makeStream(of: DeliveryReceipt.self)
                group.addTask { [self] in
                    defer { continuation.finish() }
                    var number = 0
                    while !isDone.withLock({ $0 }) {
                        continuation.yield(try await client.send(Numbered(number: number), delivery: delivery, priority: priority))
                        number += 1
                        sentCounts.withLock { $0["\(priority)"] = number }
                    }
                }
                group.addTask { [self] in
                    for await receipt in receipts {
                        try await receipt.acknowledged()
                        counts.withLock { $0["\(priority)", default: 0] += 1 }
                    }
                }
            }
            try await group.waitForAll()
        }
    }
}
