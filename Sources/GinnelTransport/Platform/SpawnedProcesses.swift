// Children that a program has started by its own means, made known to `PeerPolicy.spawnedByUs`.

/// The processes that `PeerPolicy.spawnedByUs` takes for children of this one. Any thread.
///
/// The kernel tells processes apart by number, and gives a number to another process once the child has ended and was waited for. So a child has
/// to stay un-waited for while it is registered: when it has ended (`waitid` with `WNOWAIT` tells), unregister it, and wait for it then. What waits for
/// children by itself, such as Foundation's `Process`, leaves a moment between the two in which a stranger may have got the number.
///
/// A child that connects before it is registered is refused: register it before it learns where the service is, or as the first thing after starting it, with the
/// service running only then. No registration is needed for a child that inherits its end of a pair of sockets that this process made.
public enum SpawnedProcesses {
    /// `process` is a child of this process, and has not been waited for.
    public static func register(_ process: UInt32) {
        ChildProcess.table.withLock { _ = $0.insert(process) }
    }

    /// Before `process` is waited for. Connections that it has already stay.
    public static func unregister(_ process: UInt32) {
        ChildProcess.table.withLock { _ = $0.remove(process) }
    }
}
