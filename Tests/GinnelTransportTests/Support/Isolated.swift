// Tests that need a process of their own: what they do (a system call that fails, another user, a mask, an environment) holds for the whole process, in which
// all other tests run at the same time.
//
// Such a test starts the tests' own executable once more, with itself as the only test to run, and passes when that passes. (Testing's exit tests would do, but
// on Linux they wait for any child of the process, and go round and round as long as one of ours has ended and is not yet forgotten.)

import Foundation
import Testing

struct Isolated: TestTrait, SuiteTrait, TestScoping {
    private static let mark = "GINNEL_TESTS_ISOLATED"

    let isRecursive = true

    /// Around the function and not around each of its cases, which share the process.
    func scopeProvider(for test: Test, testCase: Test.Case?) -> Isolated? { !test.isSuite && testCase == nil ? self : nil }

    func provideScope(for test: Test, testCase: Test.Case?, performing function: @concurrent @Sendable () async throws -> Void) async throws {
        guard ProcessInfo.processInfo.environment[Self.mark] == nil else { return try await function() }
        // Testing reports on standard error, which the shell joins to the output that is read.
        let child = try Child(
            "/bin/sh",
            [
                "-c", "exec \"$0\" \"$@\" 2>&1", ProcessInfo.processInfo.arguments[0], "--testing-library", "swift-testing", "--filter",
                NSRegularExpression.escapedPattern(for: "\(test.id)"),
            ], environment: [Self.mark: "1"])
        let (output, status) = try await child.result()
        #expect(status == 0 && output.contains("Test run with 1 test"), "\(output)", sourceLocation: test.sourceLocation)
    }
}

extension Trait where Self == Isolated {
    /// The test runs in a process of its own. Its cases share it: serialize them.
    static var isolated: Isolated { Isolated() }
}
