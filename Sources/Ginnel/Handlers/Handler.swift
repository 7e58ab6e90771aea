// What serves a method: the form in which all handlers, typed or not, stand in the table.

internal import GinnelCore

/// Where async handlers run.
public enum HandlerExecutor: Sendable, Hashable {
    /// On their connection's loop, without a thread hop. The default; a handler that computes for long holds up the loop's other connections.
    case loop
    /// On the global executor.
    case concurrent
}

/// The four shapes of a method.
enum MethodShape: String, Sendable {
    case call
    case stream
    case upload
    case exchange
}

struct Handler: Sendable {
    enum Work: Sendable {
        /// Called on the loop with lent bytes; no task is made for it.
        case plain(@Sendable (borrowing RawSpan, CallContext) throws -> Reply)
        case async(@Sendable ([UInt8], CallContext) async throws -> Reply)
        case streaming(@Sendable ([UInt8], CallContext, CallStream) async throws -> Reply)
    }

    var work: Work
    var shape: MethodShape
    var executor = HandlerExecutor.loop
    /// Who may call it, beyond who may connect.
    var policy: PeerPolicy?
    /// Refused where the connection is not encrypted.
    var isSensitive = false
    /// Where its calls are counted, once it serves.
    var meter: CallMeter?
}

/// The methods of a service or client, fixed while it runs.
struct HandlerTable: Sendable {
    static let reservedPrefix = "ginnel."

    private(set) var handlers: [String: Handler] = [:]

    subscript(method: String) -> Handler? { handlers[method] }

    mutating func add(_ method: String, _ handler: Handler) {
        precondition((1...255).contains(method.utf8.count), "a method name has 1 to 255 bytes")
        precondition(handlers[method] == nil, "the method \(method) has a handler already")
        handlers[method] = handler
    }

    /// The same, counting its calls from now on.
    func counted(by recorder: Recorder) -> HandlerTable {
        var table = self
        for (method, handler) in handlers where handler.meter == nil { table.handlers[method]?.meter = recorder.served(method) }
        return table
    }

    /// What the per-method policies need to know of a peer.
    var wantedFields: Set<PeerIdentity.Field> {
        handlers.values.reduce(into: []) { fields, handler in if let policy = handler.policy { fields.formUnion(policy.wants) } }
    }
}
