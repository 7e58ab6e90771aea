// What a peer did wrong, on its way to the one place that closes the session.

package struct Violation: Error, Sendable {
    var failure: Failure

    init(_ code: FailureCode = .protocolViolation, _ sentence: String) {
        failure = Failure(code, sentence)
    }
}
