// A thread for each test. The pool that tests share belongs, when everything runs at once, to whoever computes; a test that talks to a service which
// gives it five seconds for its handshake must not stand in that queue between two words.

import Ginnel
import Testing

struct OwnThread: SuiteTrait, TestTrait, TestScoping {
    let isRecursive = true

    func provideScope(for test: Test, testCase: Test.Case?, performing function: @concurrent @Sendable () async throws -> Void) async throws {
        try await EventLoop.run { _ in try await function() }
    }
}

extension Trait where Self == OwnThread {
    /// Each test's task prefers an executor of its own.
    static var ownThread: OwnThread { OwnThread() }
}
