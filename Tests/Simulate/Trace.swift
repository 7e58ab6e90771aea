// What happened, in order: as lines for whoever looks at a seed, as a digest for whoever compares two runs, and as what the runs have come upon, for whoever asks whether they come upon enough.

import GinnelCore
import GinnelTransport

final class Trace {
    enum Entry: String {
        case arrival, connection, strike, lifeBegan, lifeEnded
        case messageSent, messageKept, messageHanded, messageHandled, messageFinished, disk
        case callMade, callBegan, callHandled, callEnded, streamOpened, item, streamEnded, upload, state
    }

    /// What a thousand runs are meant to come upon.
    enum Occurrence: String, CaseIterable {
        case messageRedelivered, messageGivenUp, messageRefused, messageCameBackFromDisk, storeFailed, outboxWasFull, letterRedelivered
        case callUnknown, callNotBegun, callFailed, callCancelled, callPastDeadline, callMadeAgain, streamResumed, streamBroke
        case secondConnection, clientDied, serviceDied, serviceLeft, uploadBroke
    }

    private(set) var digest: UInt32 = 0
    private(set) var occurrences: Set<Occurrence> = []
    private(set) var problems: [String] = []
    /// Writes each entry, with its time.
    var isSpoken = false
    var clock: () -> UInt64 = { 0 }
    private let thread = System.currentThread

    func note(_ entry: Entry, _ numbers: Int...) {
        let time = clock()
        if System.currentThread != thread { find("something runs on a thread of its own") }
        var bytes = Array(entry.rawValue.utf8)
        for number in [Int(truncatingIfNeeded: time)] + numbers { withUnsafeBytes(of: number.littleEndian) { bytes += $0 } }
        digest = Checksum.castagnoli.value(of: bytes.span.bytes, continuing: digest)
        if isSpoken { print("\(time / 1_000_000).\(String(time % 1_000_000 + 1_000_000).dropFirst()) ms: \(entry.rawValue) \(numbers.map(String.init).joined(separator: " "))") }
    }

    /// The bytes themselves, for who looks at a seed.
    func say(_ bytes: ArraySlice<UInt8>) {
        if isSpoken { print("    " + bytes.map { String(UInt16($0) + 0x100, radix: 16).dropFirst() }.joined()) }
    }

    func came(upon occurrence: Occurrence) { occurrences.insert(occurrence) }

    /// Stops at a few: one leads to others.
    func find(_ problem: String) {
        if isSpoken { print("problem: \(problem)") }
        if problems.count < 5 { problems.append(problem) }
    }
}
