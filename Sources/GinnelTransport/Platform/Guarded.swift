// A value behind a lock.
//
// One lock for everything, over the platform's own mutex: on Linux the standard library's `Mutex` makes the thread sanitizer report races under contention
// that are none (Swift 6.3.1), and a sanitizer that cries wolf is worth nothing.

internal import CGinnelPlatform

/// `@unchecked Sendable`: `value` is touched only while `mutex` is held. It lies behind a pointer, since the lock already gives what Swift's own check of exclusive access,
/// which would cost more than the lock, is there to prove.
package final class Guarded<Value>: @unchecked Sendable {
    private let value: UnsafeMutablePointer<Value>
    private let mutex: OpaquePointer

    package init(_ value: consuming Value) {
        self.value = .allocate(capacity: 1)
        self.value.initialize(to: value)
        guard let mutex = gn_mutex_create() else { fatalError("no memory for a lock") }
        self.mutex = mutex
    }

    deinit {
        value.deinitialize(count: 1)
        value.deallocate()
        gn_mutex_destroy(mutex)
    }

    /// Runs `body` alone. It must not wait for anything and not come back here.
    @inline(__always)
    package func withLock<Result, Failed: Error>(_ body: (inout Value) throws(Failed) -> Result) throws(Failed) -> Result {
        gn_mutex_lock(mutex)
        defer { gn_mutex_unlock(mutex) }
        return try body(&value.pointee)
    }
}
