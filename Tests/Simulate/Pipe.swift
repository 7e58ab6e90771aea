// One direction of a connection: what is on its way, what has come, and who is to be told. Behaves as a socket does, and worse where the adversary says so.

import GinnelTesting
import GinnelTransport

/// `@unchecked Sendable`: one thread touches it.
final class Pipe: @unchecked Sendable {
    typealias Bell = (Readiness) -> Void

    private unowned let network: Network
    /// For the trace: two for each connection.
    private let number: Int
    private let room: Int
    private var moving: [UInt8] = []
    private var here: [UInt8] = []
    private var head = 0
    private var isMoving = false
    private var readerWaits = true
    private var writerWaits = false
    private var reader: Bell?
    private var writer: Bell?
    private var writerIsGone = false
    private var readerIsGone = false
    private var endHasCome = false
    /// What is written from now on is lost, and the writer is not told.
    private var isCut = false
    /// Bytes until it breaks.
    private var bytesLeft: Int?
    private var stalledUntil: UInt64 = 0
    /// The next arrival rings no bell.
    private var isMuffled = false
    private let tap: FrameTap?

    init(_ network: Network, number: Int, tap: FrameTap?) {
        self.network = network
        self.number = number
        self.tap = tap
        room = network.plan.room
    }

    private var host: Host { network.host }
    private var available: Int { here.count - head }

    // MARK: The two ends

    func read(into buffer: UnsafeMutableRawBufferPointer) -> ReadOutcome {
        guard available > 0 else {
            if endHasCome { return .end }
            readerWaits = true
            return .wouldBlock
        }
        let count = network.portion(of: min(available, buffer.count))
        here.withUnsafeBytes { buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[head..<head + count])) }
        head += count
        if available == 0 {
            here = []
            head = 0
        }
        let isDrained = available == 0 && !endHasCome
        if isDrained { readerWaits = true }
        if writerWaits {
            writerWaits = false
            writer?(.writable)
        }
        return .bytes(count, drained: isDrained)
    }

    func write(_ bytes: UnsafeRawBufferPointer) -> WriteOutcome {
        if readerIsGone || writerIsGone { return .failed(SystemError(operation: "write", sentence: "the other end is closed")) }
        if isCut { return .took(bytes.count) }
        let free = room - moving.count - available
        guard free > 0 else {
            writerWaits = true
            return .wouldBlock
        }
        let count = network.portion(of: min(free, bytes.count))
        let taken = Array(bytes[..<count])
        moving += tap?.altered(taken) ?? taken
        if let left = bytesLeft {
            bytesLeft = left - count
            if left <= count { network.broke(self) }
        }
        move()
        return .took(count)
    }

    func attachReader(_ bell: @escaping Bell) {
        reader = bell
        if available > 0 || endHasCome { bell(.readable) }
    }

    func attachWriter(_ bell: @escaping Bell) {
        writer = bell
        guard writerWaits, readerIsGone || room > moving.count + available else { return }
        writerWaits = false
        bell(.writable)
    }

    /// The writer has closed its end. `losing`: what is on its way does not arrive.
    func endWriting(losing: Bool) {
        guard !writerIsGone else { return }
        writerIsGone = true
        writer = nil
        if losing { moving = [] }
        move()
    }

    /// The reader has closed its end; the writer hears of it a little later.
    func endReading() {
        guard !readerIsGone else { return }
        readerIsGone = true
        reader = nil
        (here, head, moving) = ([], 0, [])
        host.after(host.someTime(network.latency)) { [self] in writer?([.writable, .hangup, .gone]) }
    }

    /// The reader's program is dead: it reads nothing more and is told so, and the writer hears of it as above.
    func killReader() {
        endHasCome = true
        reader?([.readable, .hangup, .gone])
        endReading()
    }

    // MARK: On the way

    private func move() {
        guard !isMoving, !moving.isEmpty || writerIsGone && !endHasCome else { return }
        isMoving = true
        let pause = stalledUntil > host.now ? stalledUntil - host.now : 0
        host.after(pause + host.someTime(network.latency)) { [self] in arrive() }
    }

    private func arrive() {
        isMoving = false
        if stalledUntil > host.now { return move() }
        if !moving.isEmpty, !readerIsGone {
            let count = network.portion(of: moving.count)
            network.noteArrival(number, moving[..<count])
            here += moving[..<count]
            moving.removeFirst(count)
            let isHeard = !isMuffled || network.isCalm
            isMuffled = false
            if readerWaits, isHeard {
                readerWaits = false
                reader?(.readable)
            }
        }
        if moving.isEmpty, writerIsGone, !endHasCome {
            endHasCome = true
            reader?([.readable, .hangup, .gone])
        }
        move()
    }

    // MARK: The adversary

    /// Loses what is behind some byte of what is on its way, and all that is written from now on.
    func cut() {
        if host.random.oneIn(2) { moving.removeLast(host.random.number(in: 0...moving.count)) }
        isCut = true
    }

    func breakAfter(_ bytes: Int) { bytesLeft = bytes }
    func stall(until time: UInt64) { stalledUntil = time }
    func muffle() { isMuffled = true }
}
