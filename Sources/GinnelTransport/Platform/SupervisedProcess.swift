// A child process with a thread of its own, which starts it, reads what it says, sees its end and reaps it.
//
// One thread for all of that is what the platform wants: on Linux the kernel ends the child when the thread that started it ends, so the two live and die together, and when this process dies,
// however it does, so does the child (`gn_process_supervise` says what holds on other systems). Reading blocks, so nothing of it belongs on a loop or in the pool of Swift's tasks.

package import CGinnelPlatform

/// A child process that does not outlive this one. Any thread.
package final class SupervisedProcess: Sendable {
    package enum Stream: Sendable, Hashable { case output, errors }

    /// What to start.
    package struct Launch: Sendable {
        package var program: String
        /// Without the program's name.
        package var arguments: [String]
        /// Added to ours.
        package var environment: [String: String]
        /// `inherited[i]` becomes descriptor 3 + i. The caller's, and may be closed once the child has started.
        package var inherited: [gn_handle]

        package init(_ program: String, _ arguments: [String], environment: [String: String] = [:], inheriting inherited: [gn_handle] = []) {
            self.program = program
            self.arguments = arguments
            self.environment = environment
            self.inherited = inherited
        }
    }

    private struct State {
        /// `nil` before it has started and after its end.
        var process: OpaquePointer?
        var id: UInt32 = 0
        var status: Int32?
        var thread: OpaquePointer?
        var waiters: [CheckedContinuation<Int32, Never>] = []
    }

    private let launch: Launch
    private let said: @Sendable (Stream, UnsafeRawBufferPointer) -> Void
    private let state = Guarded(State())

    private init(_ launch: Launch, _ said: @escaping @Sendable (Stream, UnsafeRawBufferPointer) -> Void) {
        self.launch = launch
        self.said = said
    }

    /// Starts the program; it runs when this returns. Whoever starts it waits for its end, too.
    ///
    /// `said` is called on the child's thread with what it writes to its standard output and standard error, in the order of writing within each. While it is held up, the child is too, once
    /// its pipe is full.
    ///
    /// - Throws: `GinnelError`: `notFound` and `denied` for a program that is not there or cannot be run, `exhausted` without a thread, process, descriptor or memory.
    package static func start(_ launch: Launch, said: @escaping @Sendable (Stream, UnsafeRawBufferPointer) -> Void) async throws -> SupervisedProcess {
        let made = SupervisedProcess(launch, said)
        do {
            try await withCheckedThrowingContinuation { made.begin($0) }
        } catch {
            made.join()
            throw error
        }
        return made
    }

    package var id: UInt32 { state.withLock { $0.id } }

    /// Asks it to end, or ends it at once. Does nothing when it has ended already.
    package func end(atOnce: Bool = false) { state.withLock { if let process = $0.process { gn_process_end(process, atOnce) } } }

    /// Waits for its end, also in a cancelled task. Its exit status, 0 to 255, or 256 and the signal that ended it; everything it said has been told.
    package func ended() async -> Int32 {
        let status = await withCheckedContinuation { continuation in
            let status = state.withLock { state in
                if state.status == nil { state.waiters.append(continuation) }
                return state.status
            }
            if let status { continuation.resume(returning: status) }
        }
        join()
        return status
    }

    // MARK: The thread

    private final class Box: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    private func begin(_ started: CheckedContinuation<Void, any Error>) {
        let box = Unmanaged.passRetained(Box { self.live(started) })
        var thread: OpaquePointer?
        var error = gn_error()
        // Under the lock: whoever joins finds the thread, even if it is over first.
        let outcome = state.withLock { state in
            let outcome = gn_thread_start(
                "ginnel-child", 0,
                { box in
                    guard let box else { return }
                    Unmanaged<Box>.fromOpaque(box).takeRetainedValue().body()
                }, box.toOpaque(), &thread, &error)
            state.thread = thread
            return outcome
        }
        guard outcome == GN_DONE else {
            box.release()
            return started.resume(throwing: GinnelError(.init(error.code), "no thread for a child process", path: launch.program, cause: SystemError(error)))
        }
    }

    private func join() {
        if let thread = state.withLock({ $0.thread.take() }) { gn_thread_join(thread) }
    }

    private func live(_ started: CheckedContinuation<Void, any Error>) {
        let process: OpaquePointer
        do {
            process = try supervise()
        } catch {
            return started.resume(throwing: error)
        }
        let id = gn_process_id(process)
        state.withLock { state in
            state.process = process
            state.id = id
        }
        SpawnedProcesses.register(id)
        started.resume()
        let status = listen(to: process)
        SpawnedProcesses.unregister(id)
        // Nobody ends it any more: its number may become another's.
        state.withLock { $0.process = nil }
        gn_process_forget(process)
        let waiters = state.withLock { state in
            state.status = status
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume(returning: status) }
    }

    private func supervise() throws -> OpaquePointer {
        var process: OpaquePointer?
        var error = gn_error()
        let outcome = CStrings.with([launch.program] + launch.arguments) { arguments in
            CStrings.with(launch.environment.map { "\($0.key)=\($0.value)" }) { environment in
                gn_process_supervise(launch.program, arguments, environment, launch.inherited, launch.inherited.count, &process, &error)
            }
        }
        guard outcome == GN_DONE, let process else {
            throw GinnelError(.init(error.code), Self.sentence(error.code), path: launch.program, cause: SystemError(error))
        }
        return process
    }

    /// What went wrong, and the remedy.
    private static func sentence(_ code: gn_code) -> String {
        switch code {
        case GN_CODE_NOT_FOUND: "there is no such program, or not the interpreter that it names; give the whole path of one that exists"
        case GN_CODE_DENIED: "the program may not be run; it must be an executable file for this system, with permission to execute it and to reach its directory"
        case GN_CODE_NO_DESCRIPTORS: "the program cannot be started: this process has no descriptor left"
        case GN_CODE_NO_MEMORY: "the program cannot be started: there is no memory, or the limit of processes is reached"
        default: "the program cannot be started"
        }
    }

    /// Until its end.
    private func listen(to process: OpaquePointer) -> Int32 {
        withUnsafeTemporaryAllocation(byteCount: 16_384, alignment: 1) { buffer in
            var event = GN_PROCESS_ENDED
            var count = 0
            var status: Int32 = 0
            var error = gn_error()
            while true {
                switch gn_process_next(process, buffer.baseAddress, buffer.count, &event, &count, &status, &error) {
                case GN_DONE where event == GN_PROCESS_ENDED: return status
                case GN_DONE: said(event == GN_PROCESS_OUTPUT ? .output : .errors, UnsafeRawBufferPointer(rebasing: buffer[..<count]))
                // Somebody else has waited for our child, or its pipe cannot be read: it is ended with the object, and nothing is known of it.
                default: return 256
                }
            }
        }
    }
}
