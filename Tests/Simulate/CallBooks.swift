// The books of calls, streams and uploads: which handlers were called, and what callers were told. As in docs/guarantees.md: one outcome each, and what is said not to have begun has not.

import Ginnel

final class CallBooks {
    private struct Record {
        let isIdempotent: Bool
        var begun = 0
        var answered = 0
        var failed = 0
        var isOver = false
        /// Its caller was told that the handler was never called.
        var isNotBegun = false
    }

    private struct Stream {
        let first: Int
        let end: Int
        var next: Int
        var isOver = false
    }

    private let trace: Trace
    private var calls: [Key: Record] = [:]
    private var streams: [Key: Stream] = [:]

    init(_ trace: Trace) { self.trace = trace }

    // MARK: Calls

    func made(_ key: Key, isIdempotent: Bool) {
        calls[key] = Record(isIdempotent: isIdempotent)
        trace.note(.callMade, key.maker, key.number, isIdempotent ? 1 : 0)
    }

    /// A handler was called.
    func began(_ key: Key) {
        trace.note(.callBegan, key.maker, key.number)
        calls[key]?.begun += 1
        guard let record = calls[key] else { return trace.find("call \(key) arrives and is unknown") }
        if record.begun > 1 { record.isIdempotent ? trace.came(upon: .callMadeAgain) : trace.find("call \(key) is carried out twice") }
        if record.isNotBegun { trace.find("call \(key) begins after its caller was told that it did not") }
    }

    /// A handler is done.
    func handled(_ key: Key, failing: Bool) {
        trace.note(.callHandled, key.maker, key.number)
        if failing { calls[key]?.failed += 1 } else { calls[key]?.answered += 1 }
    }

    /// The caller was told.
    func ended(_ key: Key, _ result: Result<Answer, any Error>) {
        guard let record = calls[key] else { return }
        if record.isOver { trace.find("call \(key) ends twice") }
        calls[key]?.isOver = true
        var code = 0
        if case .failure(let error) = result { code = (error as? CallError).map { Int($0.code.rawValue) } ?? -1 }
        trace.note(.callEnded, key.maker, key.number, code)
        switch result {
        case .success(let answer):
            if answer.key != key || record.answered == 0 { trace.find("call \(key) has an answer that nobody gave") }
        case .failure(let error as CallError): judge(key, record, error)
        case .failure(is CancellationError): trace.came(upon: .callCancelled)
        // There was no connection to make it on.
        case .failure: notBegun(key, record)
        }
    }

    private func judge(_ key: Key, _ record: Record, _ error: CallError) {
        switch error.outcome {
        case .notBegun:
            trace.came(upon: .callNotBegun)
            notBegun(key, record)
        case .failed:
            trace.came(upon: .callFailed)
            if record.failed == 0 { trace.find("call \(key) is said to have failed, and its handler did not: \(error)") }
        case .unknown:
            trace.came(upon: error.code == .deadlineExceeded ? .callPastDeadline : error.code == .cancelled ? .callCancelled : .callUnknown)
        }
    }

    private func notBegun(_ key: Key, _ record: Record) {
        calls[key]?.isNotBegun = true
        if record.begun > 0, !record.isIdempotent { trace.find("call \(key) is said not to have begun, and has") }
    }

    // MARK: Streams

    func opened(_ key: Key, from first: Int, to end: Int) {
        streams[key] = Stream(first: first, end: end, next: first)
        trace.note(.streamOpened, key.maker, key.number, end)
    }

    func received(_ value: Int, of key: Key) {
        trace.note(.item, key.maker, key.number, value)
        if let stream = streams[key], value != stream.next { trace.find("stream \(key) brings \(value) where \(stream.next) comes next") }
        streams[key]?.next = value + 1
    }

    func streamEnded(_ key: Key, complete: Bool) {
        trace.note(.streamEnded, key.maker, key.number, complete ? 1 : 0)
        guard let stream = streams[key] else { return }
        if stream.isOver { trace.find("stream \(key) ends twice") }
        streams[key]?.isOver = true
        if complete, stream.next != stream.end { trace.find("stream \(key) ends as if it were complete at \(stream.next) of \(stream.end)") }
        if !complete { trace.came(upon: .streamBroke) }
    }

    /// A handler begins to send from here on.
    func served(_ key: Key, from first: Int) { if let stream = streams[key], first > stream.first { trace.came(upon: .streamResumed) } }

    // MARK: The end

    /// A program has died: its calls have nobody to be told to.
    func died(_ maker: Int) {
        for key in calls.keys where key.maker == maker { calls[key]?.isOver = true }
        for key in streams.keys where key.maker == maker { streams[key]?.isOver = true }
    }

    func close() {
        for key in calls.filter({ !$0.value.isOver }).keys { trace.find("call \(key) never ends") }
        for key in streams.filter({ !$0.value.isOver }).keys { trace.find("stream \(key) never ends") }
    }
}
