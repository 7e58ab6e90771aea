// Writer and reader against Tests/Vectors/ring.txt, which a C program on every platform follows too: each step is done, and then all bytes of the ring are compared.

import Foundation
import GinnelCore
import GinnelTransport
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(1))) struct RingVectorTests {
    @Test(arguments: try! RingVectors.read()) func `a ring holds after each step what its vectors say`(ring: RingVectors.Sequence) throws {
        let followed = try FollowedRing(ring)
        for step in ring.steps where !followed.isOver {
            try followed.follow(step)
            #expect(followed.firstDifference == nil, "after line \(step.line) of ring.txt")
        }
    }

    @Test func `the file has sequences of every kind`() throws {
        let rings = try RingVectors.read()
        let words = Set(rings.flatMap(\.steps).map { $0.words[0] })
        #expect(rings.count > 20 && words == ["write", "read", "wait", "peer"])
    }
}

/// The lines of ring.txt, whose head says what they mean.
struct RingVectors {
    struct Step: Sendable {
        let line: Int
        let words: [String]
        /// What it changes: `at` and `any`.
        var changes: [[String]] = []
    }

    struct Sequence: Sendable, CustomTestStringConvertible {
        let name: String
        let capacity: Int
        let start: UInt64
        var made: [[String]] = []
        var steps: [Step] = []

        var testDescription: String { name }
    }

    static func read(from file: String = #filePath) throws -> [Sequence] {
        let path = URL(fileURLWithPath: file).deletingLastPathComponent().appendingPathComponent("../../Vectors/ring.txt")
        var rings: [Sequence] = []
        for (number, line) in try String(contentsOf: path, encoding: .utf8).split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let words = line.split(separator: " ").map(String.init)
            guard let kind = words.first, !kind.hasPrefix("#") else { continue }
            switch kind {
            case "ring": rings.append(Sequence(name: words[1], capacity: try #require(Int(words[2])), start: try #require(UInt64(words[3]))))
            case "at", "any":
                guard var ring = rings.popLast() else { continue }
                if ring.steps.isEmpty { ring.made.append(words) } else { ring.steps[ring.steps.count - 1].changes.append(words) }
                rings.append(ring)
            default: rings[rings.count - 1].steps.append(Step(line: number + 1, words: words))
            }
        }
        return rings
    }

    static func pattern(_ first: Int, _ count: Int) -> [UInt8] { (first..<first + count).map { UInt8(truncatingIfNeeded: 7 * $0 + 3) } }

    static func bytes(_ hex: String) -> [UInt8] {
        let digits = Array(hex.utf8)
        return stride(from: 0, to: digits.count, by: 2).compactMap { UInt8(String(decoding: digits[$0..<$0 + 2], as: UTF8.self), radix: 16) }
    }
}

/// A ring in memory of its own, and what that should hold; `nil` where anything may stand.
private final class FollowedRing {
    private let memory: UnsafeMutableRawBufferPointer
    private var expected: [UInt8?]
    private var writer: RingWriter
    private var reader: RingReader
    private(set) var isOver = false

    init(_ ring: RingVectors.Sequence) throws {
        let geometry = try #require(RingGeometry(capacity: ring.capacity))
        let count = RingGeometry.controlBytes + ring.capacity
        memory = .allocate(byteCount: count, alignment: 128)
        memory.initializeMemory(as: UInt8.self, repeating: 0)
        expected = Array(repeating: 0, count: count)
        let made = RingMemory(at: memory.baseAddress!)
        made.initialize(geometry)
        made.produced.pointee.store(ring.start, ordering: .relaxed)
        made.consumed.pointee.store(ring.start, ordering: .relaxed)
        writer = RingWriter(made, RingProducer(geometry, start: ring.start))
        reader = RingReader(made, RingConsumer(geometry, start: ring.start))
        try note(ring.made)
        #expect(firstDifference == nil, "a new ring")
    }

    deinit { memory.deallocate() }

    /// The offset of the first byte that is another.
    var firstDifference: Int? { isOver ? nil : expected.indices.first { expected[$0] != nil && expected[$0] != memory[$0] } }

    private func note(_ changes: [[String]]) throws {
        for change in changes {
            let offset = try #require(Int(change[1]))
            if change[0] == "any" {
                for index in offset..<offset + (try #require(Int(change[2]))) { expected[index] = nil }
            } else {
                for (index, byte) in RingVectors.bytes(change[2]).enumerated() { expected[offset + index] = byte }
            }
        }
    }

    func follow(_ step: RingVectors.Step) throws {
        let words = step.words
        switch words[0] {
        case "write": try write(try #require(Int(words[1])), try #require(Int(words[2])), result: words[3], rings: words[4] == "rings")
        case "read" where words[1] == "none":
            let found = try reader.next()
            let wakes = reader.settle()
            #expect(found == nil && !wakes)
        case "read" where words[1] == "violation":
            #expect(throws: RingViolation.self) { try reader.next() }
            isOver = true
        case "read": try read(try #require(Int(words[1])), try #require(Int(words[2])), rings: words[3] == "rings")
        case "wait":
            let sleeps = words[1] == "producer" ? try writer.declareWait() : try reader.declareWait()
            #expect(sleeps)
        case "peer":
            for (index, byte) in RingVectors.bytes(words[2]).enumerated() {
                memory[(try #require(Int(words[1]))) + index] = byte
                expected[(try #require(Int(words[1]))) + index] = byte
            }
        default: Issue.record("a step of an unknown kind, \(words)")
        }
        try note(step.changes)
    }

    private func write(_ count: Int, _ first: Int, result: String, rings: Bool) throws {
        if result == "violation" {
            #expect(throws: RingViolation.self) { try writer.reserve(count) }
            isOver = true
            return
        }
        #expect((result == "long") == (count > writer.geometry.longestPayload))
        let place = try writer.reserve(count)
        #expect((result == "fits") == (place != nil))
        guard let place else { return }
        writer.buffer(of: place).copyBytes(from: RingVectors.pattern(first, count))
        let wakes = writer.publish(place)
        #expect(wakes == rings)
    }

    private func read(_ count: Int, _ first: Int, rings: Bool) throws {
        let next = try reader.next()
        let record = try #require(next)
        #expect(Array(reader.bytes(of: record)) == RingVectors.pattern(first, count))
        let wakes = reader.giveBack(record)
        #expect(wakes == rings)
    }
}
