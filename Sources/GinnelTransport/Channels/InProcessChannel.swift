// A channel whose two ends are in this process: two bounded byte queues. Behaves as a socket does, would-block, drained and end included, and passes the same
// conformance suite.

package import GinnelCore

/// One direction.
private final class BytePipe: Sendable {
    struct State {
        var bytes: [UInt8] = []
        var head = 0
        var writerIsGone = false
        var readerIsGone = false
        var readerWaits = true
        var writerWaits = false
        var readerTarget: (@Sendable (Readiness) -> Void)?
        var writerTarget: (@Sendable (Readiness) -> Void)?
    }

    static let capacity = 256 * 1024
    let state = Guarded(State())

    func read(into buffer: UnsafeMutableRawBufferPointer) -> ReadOutcome {
        let (outcome, wake) = state.withLock { state -> (ReadOutcome, (@Sendable (Readiness) -> Void)?) in
            let available = state.bytes.count - state.head
            guard available > 0 else {
                if state.writerIsGone { return (.end, nil) }
                state.readerWaits = true
                return (.wouldBlock, nil)
            }
            let count = min(available, buffer.count)
            state.bytes.withUnsafeBytes { buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[state.head..<state.head + count])) }
            state.head += count
            if state.head == state.bytes.count {
                state.bytes.removeAll(keepingCapacity: state.bytes.capacity <= 4096)
                state.head = 0
            }
            let drained = count == available && !state.writerIsGone
            if drained { state.readerWaits = true }
            return (.bytes(count, drained: drained), Self.takeWaitingWriter(&state))
        }
        wake?(.writable)
        return outcome
    }

    /// Whom to tell that there is room. A writer that is not attached yet goes on waiting.
    private static func takeWaitingWriter(_ state: inout State) -> (@Sendable (Readiness) -> Void)? {
        guard state.writerWaits, let target = state.writerTarget else { return nil }
        state.writerWaits = false
        return target
    }

    func write(_ bytes: UnsafeRawBufferPointer) -> WriteOutcome {
        let (outcome, wake) = state.withLock { state -> (WriteOutcome, (@Sendable (Readiness) -> Void)?) in
            if state.readerIsGone { return (.failed(SystemError(operation: "write", sentence: "the other end is closed")), nil) }
            let room = Self.capacity - (state.bytes.count - state.head)
            guard room > 0 else {
                state.writerWaits = true
                return (.wouldBlock, nil)
            }
            let count = min(room, bytes.count)
            state.bytes.append(contentsOf: UnsafeRawBufferPointer(rebasing: bytes[..<count]))
            defer { state.readerWaits = false }
            return (.took(count), state.readerWaits ? state.readerTarget : nil)
        }
        wake?(.readable)
        return outcome
    }

    /// Attaches the reader; true when there is something for it already.
    func attachReader(_ target: @escaping @Sendable (Readiness) -> Void) -> Bool {
        state.withLock { state in
            state.readerTarget = target
            return state.bytes.count > state.head || state.writerIsGone
        }
    }

    /// Attaches the writer; true when it was told to wait and need not wait any longer.
    func attachWriter(_ target: @escaping @Sendable (Readiness) -> Void) -> Bool {
        state.withLock { state in
            state.writerTarget = target
            guard state.readerIsGone || state.bytes.count - state.head < Self.capacity else { return false }
            return Self.takeWaitingWriter(&state) != nil
        }
    }

    /// Once; later calls change nothing.
    func endWriting(losing: Bool) {
        let wake = state.withLock { state -> (@Sendable (Readiness) -> Void)? in
            if state.writerIsGone { return nil }
            state.writerIsGone = true
            state.writerTarget = nil
            if losing {
                state.bytes = []
                state.head = 0
            }
            return state.readerTarget
        }
        wake?([.readable, .hangup, .gone])
    }

    /// Once; later calls change nothing.
    func endReading() {
        let wake = state.withLock { state -> (@Sendable (Readiness) -> Void)? in
            if state.readerIsGone { return nil }
            state.readerIsGone = true
            state.readerTarget = nil
            state.bytes = []
            state.head = 0
            return state.writerTarget
        }
        wake?([.writable, .hangup, .gone])
    }
}

package final class InProcessChannel: Channel {
    private let incoming: BytePipe
    private let outgoing: BytePipe

    private init(incoming: BytePipe, outgoing: BytePipe) {
        self.incoming = incoming
        self.outgoing = outgoing
    }

    /// As a socket does whose last descriptor is closed.
    deinit { abort() }

    package static func pair() -> (InProcessChannel, InProcessChannel) {
        let first = BytePipe()
        let second = BytePipe()
        return (InProcessChannel(incoming: first, outgoing: second), InProcessChannel(incoming: second, outgoing: first))
    }

    package func read(into buffer: UnsafeMutableRawBufferPointer) -> ReadOutcome { incoming.read(into: buffer) }
    package func write(_ bytes: UnsafeRawBufferPointer) -> WriteOutcome { outgoing.write(bytes) }
    package func identify(_ fields: Set<PeerIdentity.Field>) -> PeerIdentity { .own }

    package func attach(to loop: EventLoop, token: UInt64) {
        let target: @Sendable (Readiness) -> Void = { [weak loop] readiness in
            guard let loop else { return }
            loop.post { [weak loop] in loop?.member(token)?.isReady(readiness) }
        }
        if incoming.attachReader(target) { target(.readable) }
        if outgoing.attachWriter(target) { target(.writable) }
    }

    package func close(drain: Duration) {
        outgoing.endWriting(losing: false)
        incoming.endReading()
    }

    package func abort() {
        outgoing.endWriting(losing: true)
        incoming.endReading()
    }
}
