// A channel whose other end is the test: it says what there is to read, how much a write takes and when it fails, and keeps account of every call.

package import GinnelCore
package import GinnelTransport

package final class ScriptedChannel: Channel {
    package enum Call: Sendable, Equatable {
        case identify
        case attach
        case read
        case write(Int, thread: UInt64)
        case close
        case abort
    }

    package struct Script: Sendable {
        /// What the peer has said and nobody has read yet.
        package fileprivate(set) var incoming: [UInt8] = []
        /// What comes after that: `.end` or `.failed`.
        package fileprivate(set) var ending: ReadOutcome?
        /// Bytes that writes still take.
        package fileprivate(set) var room = Int.max
        package fileprivate(set) var writesFail = false
        package fileprivate(set) var taken: [UInt8] = []
        package fileprivate(set) var calls: [Call] = []
        /// Writes that began before another was over.
        package fileprivate(set) var overlaps = 0
        fileprivate var isWriting = false
        fileprivate var target: (@Sendable (Readiness) -> Void)?

        package var writeCount: Int { calls.count { if case .write = $0 { true } else { false } } }
        package var readCount: Int { calls.count { $0 == .read } }
        package var hasEnded: Bool { calls.contains(.close) || calls.contains(.abort) }
    }

    /// What happened so far; tasks may wait for it.
    package let script = Watched(Script())
    private let identity: PeerIdentity
    private let failsToAttach: Bool
    /// Runs in the middle of each write, on its thread.
    private let duringWrite: (@Sendable () -> Void)?

    package init(identity: PeerIdentity = .own, failsToAttach: Bool = false, duringWrite: (@Sendable () -> Void)? = nil) {
        self.identity = identity
        self.failsToAttach = failsToAttach
        self.duringWrite = duringWrite
    }

    // MARK: The test's end

    /// The peer says this.
    package func say(_ bytes: [UInt8]) { change(waking: .readable) { $0.incoming += bytes } }

    /// The peer ends its side, or the channel breaks, once everything was read. `gone`: it takes nothing any more either.
    package func end(_ ending: ReadOutcome = .end, gone: Bool = false) {
        change(waking: gone ? [.readable, .hangup, .gone] : [.readable, .hangup]) { $0.ending = ending }
    }

    /// Writes take this many bytes more.
    package func setRoom(_ room: Int) { change(waking: room > 0 ? .writable : []) { $0.room = room } }

    /// Every write from now on fails.
    package func failWrites() { change(waking: []) { $0.writesFail = true } }

    /// Forgets the calls and what was written, so that a test counts from here.
    package func forget() {
        script.change { script in
            script.calls = []
            script.taken = []
        }
    }

    private func change(waking readiness: Readiness, _ body: (inout Script) -> Void) {
        let target = script.change { script in
            body(&script)
            return script.target
        }
        if !readiness.isEmpty { target?(readiness) }
    }

    // MARK: The driver's end

    package func read(into buffer: UnsafeMutableRawBufferPointer) -> ReadOutcome {
        script.change { script in
            script.calls.append(.read)
            let count = min(script.incoming.count, buffer.count)
            guard count > 0 else { return script.ending ?? .wouldBlock }
            buffer.copyBytes(from: script.incoming[..<count])
            script.incoming.removeFirst(count)
            return .bytes(count, drained: false)
        }
    }

    package func write(_ bytes: UnsafeRawBufferPointer) -> WriteOutcome {
        script.change { script in
            if script.isWriting { script.overlaps += 1 }
            script.isWriting = true
            script.calls.append(.write(bytes.count, thread: System.currentThread))
        }
        duringWrite?()
        return script.change { script in
            script.isWriting = false
            if script.writesFail { return .failed(SystemError(operation: "write", sentence: "the script says so")) }
            let count = min(script.room, bytes.count)
            guard count > 0 else { return .wouldBlock }
            if script.room != .max { script.room -= count }
            script.taken += bytes[..<count]
            return .took(count)
        }
    }

    package func identify(_ fields: Set<PeerIdentity.Field>) throws -> PeerIdentity {
        script.change { $0.calls.append(.identify) }
        return identity
    }

    package func attach(to loop: EventLoop, token: UInt64) throws {
        script.change { script in
            script.calls.append(.attach)
            script.target = { readiness in loop.post { loop.member(token)?.isReady(readiness) } }
        }
        if failsToAttach { throw GinnelError(.exhausted, "the script says so") }
    }

    package func close(drain: Duration) {
        script.change { script in
            script.calls.append(.close)
            script.target = nil
        }
    }

    package func abort() {
        script.change { script in
            script.calls.append(.abort)
            script.target = nil
        }
    }
}
