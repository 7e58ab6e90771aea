// The caller's side of one call with one answer: a continuation that is resumed exactly once.

public import GinnelCore

/// What a call ended with.
typealias CallResult = Result<Reply, CallError>

/// A payload with the way it is written.
public struct Reply: Sendable {
    public var codec: Codec
    public var bytes: [UInt8]

    public init(codec: Codec, bytes: [UInt8]) {
        self.codec = codec
        self.bytes = bytes
    }
}

/// `@unchecked Sendable`: the continuation is set before the call is submitted and taken by whoever performs its one final action; `callNumber` and `isAbandoned` are touched
/// under the driver's lock.
final class PendingCall: OutgoingCall, @unchecked Sendable {
    var callNumber: UInt32 = 0
    var isAbandoned = false
    private let connection: Connection
    private let stopwatch: Stopwatch
    private var continuation: UnsafeContinuation<CallResult, Never>?

    init(_ connection: Connection, _ stopwatch: Stopwatch) {
        self.connection = connection
        self.stopwatch = stopwatch
    }

    func begin(_ continuation: UnsafeContinuation<CallResult, Never>) { self.continuation = continuation }

    func replied(codec: Codec, payload: borrowing RawSpan) {
        stopwatch.stop(nil)
        continuation.take()?.resume(returning: .success(Reply(codec: codec, bytes: payload.copied())))
    }

    func failed(_ failure: Failure) {
        stopwatch.stop(failure.code)
        continuation.take()?.resume(returning: .failure(CallError(failure)))
    }

    /// Items of a method that turns out to be a stream: its reply is what was asked for, so they are let go and its handler goes on.
    func received(item: borrowing RawSpan, codec: Codec) { connection.submit(.grant(self, bytes: item.byteCount)) }
    func mayCarryOn() {}
}
