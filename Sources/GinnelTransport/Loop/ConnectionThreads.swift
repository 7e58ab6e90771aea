// The threads of connections that have one each (`Engine.threads`): started when a connection comes, ended with it.
//
// A thread cannot wait for its own end, so one that has ended is kept until `reap`, which whoever accepts connections is asked for, and which waits no longer than a thread takes to
// return from its last function. What a task wants of a loop that has ended runs on the global executor, as after any loop's end.

package final class ConnectionThreads: Sendable {
    private struct State {
        var running: [ObjectIdentifier: EventLoop] = [:]
        var ended: [EventLoop] = []
        var started = 0
    }

    private let name: String
    private let configuration: LoopConfiguration
    private let reportsSlowness: (@Sendable (String, UInt64) -> Void)?
    private let state = Guarded(State())

    init(name: String, _ configuration: LoopConfiguration, reportsSlowness: (@Sendable (String, UInt64) -> Void)?) {
        self.name = name
        self.configuration = configuration
        self.reportsSlowness = reportsSlowness
    }

    /// Threads that have not ended.
    package var count: Int { state.withLock { $0.running.count } }

    func start() throws -> EventLoop {
        let number = state.withLock { state in
            state.started += 1
            return state.started
        }
        let loop = try EventLoop(name: "\(name)-\(number)", configuration, engine: .threads)
        loop.reportsSlowness = reportsSlowness
        try loop.start()
        state.withLock { $0.running[ObjectIdentifier(loop)] = loop }
        return loop
    }

    /// Lets the thread end when its jobs are done; `whenEnded` is called after its last one, on itself.
    func end(_ loop: EventLoop, _ whenEnded: @escaping @Sendable () -> Void) {
        loop.beginStopping { [self] in
            state.withLock { state in
                guard let ended = state.running.removeValue(forKey: ObjectIdentifier(loop)) else { return }
                state.ended.append(ended)
            }
            whenEnded()
        }
    }

    /// Waits for the threads that are about to be gone.
    func reap() {
        let ended = state.withLock { state in
            defer { state.ended = [] }
            return state.ended
        }
        for loop in ended { loop.join() }
    }

    /// Ends all that are left.
    func stop() async {
        for loop in state.withLock({ Array($0.running.values) }) { await loop.stop() }
        state.withLock { $0.running = [:] }
        reap()
    }
}
