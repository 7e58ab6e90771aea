// The calls of one method in one direction: how many ended how, and how long they took. A call that went well costs two additions to counters of its own loop.

internal import GinnelCore
internal import GinnelTransport

/// Which side made a call.
public enum CallDirection: String, Sendable, Hashable, Codable, CaseIterable {
    /// A peer called, and it was served here.
    case served
    /// It was made here.
    case made
}

final class CallMeter: Sendable {
    let direction: CallDirection
    let method: String
    private let cells: CounterBlock
    private let ended: (@Sendable (CallRecord) -> Void)?

    /// Where what stands: the sum of all durations; failures of calls that ran, by code; calls that were refused before, by code; the histogram.
    private enum Cell {
        static let codes = 16
        static let sum = 0
        static let failed = 1
        static let refused = failed + codes
        static let buckets = refused + codes
        static let end = buckets + Histogram.coarse.count(below: longest)
        /// Durations count up to 2 to the power of this, which is 18 minutes; longer ones count as that.
        static let longest = 40
    }

    init(_ direction: CallDirection, _ method: String, lanes: Int, ended: (@Sendable (CallRecord) -> Void)?) {
        self.direction = direction
        self.method = method
        self.ended = ended
        cells = CounterBlock(count: Cell.end, lanes: lanes)
    }

    /// A call has ended after so many nanoseconds: well, or with this code.
    func record(_ nanoseconds: UInt64, _ code: FailureCode?, lane: Int) {
        cells.add(1, to: Cell.buckets + Histogram.coarse.bucket(of: min(nanoseconds, 1 << UInt64(Cell.longest) - 1)), lane: lane)
        cells.add(nanoseconds, to: Cell.sum, lane: lane)
        if let code { cells.add(1, to: Cell.failed + code.slot, lane: lane) }
        ended?(CallRecord(direction: direction, method: method, failure: code, duration: .wholeNanoseconds(nanoseconds)))
    }

    /// A call was refused before anything was done for it.
    func refuse(_ code: FailureCode, lane: Int) {
        cells.add(1, to: Cell.refused + code.slot, lane: lane)
        ended?(CallRecord(direction: direction, method: method, failure: code, duration: .zero))
    }

    /// Failures first: a call that ends meanwhile counts as one that went well, until the next look.
    var reading: MetricsSnapshot.Calls {
        let failed = cells.totals(Cell.failed..<Cell.failed + Cell.codes)
        let refused = cells.totals(Cell.refused..<Cell.refused + Cell.codes)
        let durations = Histogram(counts: cells.totals(Cell.buckets..<Cell.end), sum: cells.total(Cell.sum))
        let all = UInt64(clamping: durations.count)
        var outcomes = ["ok": all - min(all, failed.reduce(0, &+))]
        for slot in 0..<Cell.codes where failed[slot] &+ refused[slot] > 0 { outcomes[FailureCode.label(ofSlot: slot)] = failed[slot] &+ refused[slot] }
        return MetricsSnapshot.Calls(direction: direction, method: method, outcomes: outcomes, durations: durations)
    }
}

extension FailureCode {
    /// The place of a code among the few that are told apart: those of calls (docs/protocol.md §6), all others of the protocol, those of applications.
    fileprivate var slot: Int {
        switch rawValue {
        case 1...13: Int(rawValue)
        case 1000...: 15
        default: 14
        }
    }

    fileprivate static func label(ofSlot slot: Int) -> String {
        switch slot {
        case 15: "application"
        case 14: "other"
        default: FailureCode(rawValue: UInt32(slot)).label
        }
    }
}

/// Measures one call that is made here, from now on.
struct Stopwatch: Sendable {
    private let meter: CallMeter
    private let lane: Int
    private let began = UInt64.awakeNow

    init(_ meter: CallMeter, lane: Int) {
        self.meter = meter
        self.lane = lane
    }

    /// The call has ended: well, or with this code.
    func stop(_ code: FailureCode?) { meter.record(.awakeNow &- began, code, lane: lane) }
}
