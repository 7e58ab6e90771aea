// What holds for every text as the payload of each of the fourteen messages, for the fuzzer and for the tests that replay what it found: it is refused, or what was read is written and read
// again as the same.

import Ginnel

enum EnvelopeLaw {
    /// What is wrong, or `nil`. The bytes are given to all fourteen, as a handler of each would get them.
    static func problem(with bytes: [UInt8]) -> String? {
        let types: [any (Message & Equatable).Type] = [
            Envelope.BackupRequest.self, Envelope.StatusUpdate.self, Envelope.EscalationNotice.self, Envelope.ConfigurationUpdate.self, Envelope.ShutdownRequest.self,
            Envelope.AgentStarted.self, Envelope.BackupStarted.self, Envelope.BackupProgress.self, Envelope.BackupCompleted.self, Envelope.DelayRequest.self,
            Envelope.UserAction.self, Envelope.ErrorReport.self, Envelope.Heartbeat.self, Envelope.Acknowledgment.self,
        ]
        for type in types { if let problem = problem(with: bytes, as: type) { return problem } }
        return problem(with: bytes, as: Envelope.Answer.self)
    }

    private static func problem<Value: WireValue & Equatable>(with bytes: [UInt8], as type: Value.Type) -> String? {
        guard let value = try? Value(decoding: bytes.span.bytes) else { return nil }
        guard let first = try? value.encoded(), let again = try? Value(decoding: first.span.bytes), let second = try? again.encoded() else {
            return "\(value) was read and cannot be written and read again"
        }
        return again == value && second == first ? nil : "\(value) was written as \(String(decoding: first, as: UTF8.self)), which is read as \(again)"
    }
}
