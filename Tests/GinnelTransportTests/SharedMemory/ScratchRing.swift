// A name for a ring that nobody else has, removed with the test, and what a test does to the memory behind it.

import Foundation
import GinnelCore
import GinnelTesting
import GinnelTransport
import Testing

final class ScratchRing: Sendable {
    let name: SharedMemoryBuffer.Name
    /// What a program is told that makes the same name of it.
    let text: String
    let isPerBoot: Bool

    /// Short enough for macOS too.
    init(perBoot isPerBoot: Bool = false) throws {
        let random = try Identity.random().description.filter { $0 != "-" }.prefix(12)
        text = isPerBoot ? "/ginnel/\(random)" : "ginnel-test-\(random)"
        self.isPerBoot = isPerBoot
        name = isPerBoot ? .perBoot(text) : .init(text)
    }

    deinit {
        try? SharedMemoryBuffer.remove(name: name)
        if let left = try? SharedMemoryBuffer.open(name: name) { Issue.record("\(left.name) was not removed") }
    }

    /// The memory of the ring, as a peer may write into it.
    func segment() throws -> Segment { try Segment.openNamed(name) }

    /// Lets the ring's memory say something else, as a peer could.
    func store<Word: BitwiseCopyable>(_ word: Word, at offset: Int) throws {
        let segment = try segment()
        withExtendedLifetime(segment) { segment.base.storeBytes(of: word, toByteOffset: offset, as: Word.self) }
    }

    /// The file behind the ring (Linux).
    var file: String { get throws { "/dev/shm/\(try name.systemName)" } }

    static let hasFiles = exists("/dev/shm")

    /// What `TestPeer ring` is told.
    func options(_ role: String, _ layout: SharedMemoryBuffer.Layout, count: Int, _ others: [String: Int] = [:]) -> [String] {
        let words = ["ring", "--name", text, "--naming", isPerBoot ? "boot" : "plain", "--layout", "\(layout)", "--role", role, "--count", "\(count)"]
        return words + others.flatMap { ["--\($0)", "\($1)"] }
    }

    /// Runs Tests/Peers/ForeignRing, which makes names per boot.
    func foreigner(_ action: String, _ role: String, size: Int, seed: Int, count: Int, _ lengths: ClosedRange<Int>) throws -> Child {
        let numbers = [seed, count, lengths.lowerBound, lengths.upperBound].map { "\($0)" }
        return try Child(Child.directory + "/ForeignRing", [action, text, "\(size)", role] + numbers)
    }

    /// Opens a ring that another program makes, as soon as it has.
    func open(_ layout: SharedMemoryBuffer.Layout) async throws -> SharedMemoryBuffer {
        while true {
            do {
                return try SharedMemoryBuffer.open(name: name, layout: layout)
            } catch let error as GinnelError where error.code == .notFound || error.sentence.contains("not initialised") {
                try Task.checkCancellation()
                await Task.yield()
            }
        }
    }
}

extension SharedMemoryBuffer.Layout {
    static let all: [SharedMemoryBuffer.Layout] = [.ginnel, .headered64]

    /// Where the producer's and the consumer's counters lie.
    var counters: (written: Int, read: Int) { self == .ginnel ? (128, 256) : (8, 16) }
}

/// What `body` throws, which must be a `GinnelError`.
func errorOf(_ body: () throws -> Void) throws -> GinnelError {
    try #require(throws: GinnelError.self) { try body() }
}
