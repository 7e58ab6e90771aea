// The caller's side of a call with items: those that come back go to a buffer, those that go out wait at a gate.

internal import GinnelCore
internal import GinnelTransport

/// `@unchecked Sendable`: `callNumber` and `isAbandoned` are touched under the driver's lock; `stopwatch` is set before the call is submitted; the rest is constant or has locks of its own.
final class StreamCall: OutgoingCall, @unchecked Sendable {
    var callNumber: UInt32 = 0
    var isAbandoned = false

    private struct Outcome {
        var result: CallResult?
        var waiters = Waiters<CallResult>()
    }

    let connection: Connection
    let gate = CreditGate()
    private let outcome = Guarded(Outcome())
    private(set) lazy var items = ItemBuffer { [weak self] bytes in
        guard let self else { return }
        connection.submit(.grant(self, bytes: bytes))
    }

    private var stopwatch: Stopwatch?

    init(_ connection: Connection) {
        self.connection = connection
        _ = items
    }

    func begin(_ request: OutgoingRequest) {
        if let failure = connection.refusal(of: request) { return failed(failure) }
        let (traced, stopwatch) = connection.prepared(request)
        self.stopwatch = stopwatch
        connection.submit(.call(self, traced))
    }

    /// Nobody wants the rest.
    func abandon(_ why: String) { connection.submit(.abandon(self, Failure(.cancelled, why))) }

    /// The call's final answer.
    func result() async -> CallResult {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let ready = outcome.withLock { outcome -> CallResult? in
                    if outcome.result == nil { outcome.waiters.add(continuation) }
                    return outcome.result
                }
                if let ready { continuation.resume(returning: ready) }
            }
        } onCancel: {
            abandon("the caller's task was cancelled")
        }
    }

    private func end(_ result: CallResult) {
        let waiters = outcome.withLock { outcome in
            outcome.result = result
            return outcome.waiters.takeAll()
        }
        waiters.resume(returning: result)
        gate.open()
    }

    // MARK: From the driver

    func replied(codec: Codec, payload: borrowing RawSpan) {
        stopwatch?.stop(nil)
        items.finish(nil)
        end(.success(Reply(codec: codec, bytes: payload.copied())))
    }

    func failed(_ failure: Failure) {
        stopwatch?.stop(failure.code)
        items.finish(CallError(failure))
        end(.failure(CallError(failure)))
    }

    func received(item: borrowing RawSpan, codec: Codec) { items.append(Reply(codec: codec, bytes: item.copied())) }

    func mayCarryOn() { gate.open() }
}
