// One connection: a session at either end, and what is on its way between them.

import GinnelCore

struct SimulatedLink: Sendable {
    /// One direction.
    struct Pipe: Sendable {
        var bytes: [UInt8] = []
        /// An event moves them on.
        var isMoving = false
        /// The wake-up for them is lost: they arrive with what is written next.
        var isHeld = false
        /// What is written from now on is lost.
        var isCut = false
        /// Nothing is written any more; the end follows the last byte.
        var hasEnded = false
        var endIsMoving = false
    }

    let sender: Int
    /// The start of the sender's program, and of the service, to which the ends belong.
    let generation: Int
    let instance: Int
    let identity: Identity
    private var ends: [MachineEnd]
    private var pipes = [Pipe(), Pipe()]
    private var wakes: [UInt64?] = [nil, nil]
    /// The ends whose programs know of no such connection any more.
    private var gone = [false, false]

    init(sender: Int, generation: Int, instance: Int, client: NativeConfiguration, service: NativeConfiguration) {
        self.sender = sender
        self.generation = generation
        self.instance = instance
        identity = client.identity
        ends = [MachineEnd(.client, client), MachineEnd(.service, service)]
    }

    private static func index(_ side: Role) -> Int { side == .client ? 0 : 1 }

    subscript(side: Role) -> MachineEnd {
        get { ends[Self.index(side)] }
        _modify { yield &ends[Self.index(side)] }
    }

    mutating func with(_ side: Role, _ body: (inout MachineEnd) -> Void) { body(&ends[Self.index(side)]) }

    /// What the side has written.
    subscript(from side: Role) -> Pipe {
        get { pipes[Self.index(side)] }
        _modify { yield &pipes[Self.index(side)] }
    }

    subscript(wakeOf side: Role) -> UInt64? {
        get { wakes[Self.index(side)] }
        set { wakes[Self.index(side)] = newValue }
    }

    subscript(isGone side: Role) -> Bool {
        get { gone[Self.index(side)] }
        set { gone[Self.index(side)] = newValue }
    }

    /// Nobody is left to hear anything.
    var isOver: Bool { gone[0] && gone[1] }

    /// Both directions break after some of what is on its way. `silently`: neither side is told.
    mutating func cut(silently: Bool, _ random: inout SplitMix64) {
        for side in [Role.client, .service] { cut(from: side, silently: silently, &random) }
    }

    mutating func cut(from side: Role, silently: Bool, _ random: inout SplitMix64) {
        let count = self[from: side].bytes.count
        if random.oneIn(2) { self[from: side].bytes.removeLast(count - random.number(in: 0...count)) }
        self[from: side].isCut = true
        if !silently { self[from: side].hasEnded = true }
    }

    /// The program at one end dies.
    mutating func kill(_ side: Role, _ random: inout SplitMix64) {
        self[isGone: side] = true
        cut(from: side, silently: false, &random)
        self[from: side.other].bytes = []
        self[from: side.other].isCut = true
    }
}
