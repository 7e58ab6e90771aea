// What holds for every text, for the fuzzer and for the tests that replay what it found: it is a message of a kind or it is refused, and what was read is written and read again as the same.

import Ginnel
import RecorderMessages

enum MessageLaw {
    /// What is wrong, or `nil`.
    static func problem(with bytes: [UInt8]) -> String? {
        for request in RecorderProtocol.requests {
            if let problem = problem(with: bytes, asRequest: request) { return problem }
        }
        for message in [RecorderEvent.self, ShapedEvent.self] as [any WireValue.Type] {
            if let problem = problem(with: bytes, as: message) { return problem }
        }
        return nil
    }

    /// A request and the reply to it.
    private static func problem<R: RecorderRequest>(with bytes: [UInt8], asRequest type: R.Type) -> String? {
        do throws(CallError) {
            let request = try R(checking: bytes)
            if let problem = difference(request, bytes) { return problem }
        } catch {
            guard error.sentence.hasPrefix("Invalid request: "), error.sentence.utf8.count < 60_000 else { return "\(R.method) is refused with \"\(error.sentence)\"" }
        }
        return problem(with: bytes, as: R.Response.self)
    }

    private static func problem<Value: WireValue>(with bytes: [UInt8], as type: Value.Type) -> String? {
        guard let value = try? Value(decoding: bytes.span.bytes) else { return nil }
        return difference(value, bytes)
    }

    private static func difference<Value: WireValue>(_ value: Value, _ bytes: [UInt8]) -> String? {
        guard let first = try? value.encoded(), let again = try? Value(decoding: first.span.bytes), let second = try? again.encoded() else {
            return "\(value) was read and cannot be written and read again"
        }
        return first == second ? nil : "\(value) is written as another message after it was read: \(String(decoding: second, as: UTF8.self))"
    }
}
