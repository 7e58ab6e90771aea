// Tasks that wait for the same thing. Nearly always there is one, for which no memory is taken.

/// Kept under the lock of what is waited for; resumed outside it.
struct Waiters<Value: Sendable>: Sendable {
    private var first: CheckedContinuation<Value, Never>?
    private var others: [CheckedContinuation<Value, Never>] = []

    mutating func add(_ waiter: CheckedContinuation<Value, Never>) {
        if first == nil { first = waiter } else { others.append(waiter) }
    }

    /// All of them; none is left.
    mutating func takeAll() -> Waiters {
        defer { self = Waiters() }
        return self
    }

    func resume(returning value: Value) {
        first?.resume(returning: value)
        for waiter in others { waiter.resume(returning: value) }
    }
}

extension Waiters<Void> {
    /// Lets each of them look again.
    func resume() { resume(returning: ()) }
}
