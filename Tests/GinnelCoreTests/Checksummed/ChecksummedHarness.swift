// Short names for what the tests of the checksummed format say all the time.

import GinnelTesting

@testable import GinnelCore

typealias ChecksummedChange = (inout ChecksummedConfiguration) -> Void

func checksummed(_ change: ChecksummedChange = { _ in }) -> ChecksummedConfiguration {
    var configuration = ChecksummedConfiguration()
    change(&configuration)
    return configuration
}

extension MachineEnd {
    /// A side that has started and said nothing yet.
    static func checksummed(_ role: Role, _ change: ChecksummedChange = { _ in }) -> MachineEnd {
        let configuration = GinnelCoreTests.checksummed(change)
        var end = MachineEnd(OrderedSession(role: role, configuration), timeouts: configuration.timeouts)
        end.start()
        end.takeActions()
        return end
    }

    mutating func hear(frame text: String) { receive(ChecksummedFrame.encoded(Array(text.utf8))) }

    mutating func ask(task text: String, within limit: Duration? = nil) -> RecordedCall { call("task", Array(text.utf8), codec: .protobuf, within: limit) }

    mutating func answer(task text: String, of call: UInt32) { submit(.reply(call: call, codec: .protobuf, payload: Array(text.utf8))) }

    /// Time passes on both clocks.
    mutating func elapse(_ span: Duration) {
        now = now.advanced(by: span)
        timeOut()
    }
}

/// A failure as the tests' messages tell it: what was asked, and why not.
let saidFailure: CallFailureEncoder = { failure, request in request + Array(": \(failure.sentence)".utf8) }
