// How metrics, describe, list and top ask a service about itself: at its control endpoint where it has one, since a service that speaks another format answers nowhere else, and at its own
// endpoint otherwise.

import Ginnel

extension Invocation {
    /// Connects where tools are answered and runs `body`.
    func asking<Result: Sendable>(_ body: @concurrent @escaping @Sendable (Client) async throws -> Result) async throws -> Result {
        if let control = endpoint.control {
            do {
                return try await connected(to: control, body)
            } catch let error as GinnelError where error.isNobody {
                // It has none: it speaks native itself, or does not run.
            }
        }
        return try await connected(body)
    }
}

extension GinnelError {
    /// There is nothing there that could be asked, rather than something that does not answer.
    fileprivate var isNobody: Bool {
        switch code {
        case .notFound, .denied, .nameTooLong, .invalid, .unsafe: true
        default: false
        }
    }
}

extension Client {
    /// Calls a method that every native service has, and reads its answer.
    func ask<Answer: Message>(_ method: String, _ type: Answer.Type, deadline: Duration = .seconds(5)) async throws -> (answer: Answer, text: String) {
        let reply = try await call(method, payload: [], deadline: deadline)
        do {
            return (try Answer(decoding: reply.bytes.span.bytes), String(decoding: reply.bytes, as: UTF8.self))
        } catch {
            throw CallError(.invalidReply, "the answer of \(method) is not what this command reads; use the ginnel command that belongs to the service")
        }
    }
}
