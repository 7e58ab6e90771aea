// What waits to be sent, and in which order it leaves (docs/protocol.md §7, "Lanes").
//
// Control frames go first. The other lanes share the rest by weight, counted in bytes. Within a lane messages take turns chunk by
// chunk, so that a short message is never behind more than one chunk of each long one; messages of one stream keep their order.

struct OutputLanes: Sendable {
    private static let weights = [8, 8, 4, 1]
    private static let quantum = 16_384

    private struct LaneQueue: Sendable {
        var messages = Queue<OutgoingMessage>()
        var events = EventQueue()
        /// Bytes that the lane may send before the others have had their turn. Counts only while others wait.
        var allowance = 0
        var eventsNext = false

        var isEmpty: Bool { messages.isEmpty && events.isEmpty }
    }

    private var control = ControlQueue()
    /// What leaves when nothing else waits.
    private var last = ControlQueue()
    private var lanes = [LaneQueue](repeating: LaneQueue(), count: Lane.allCases.count)
    /// Messages behind a chunked one of the same sequence.
    private var behind: [UInt64: Queue<OutgoingMessage>] = [:]
    private var waiting = 0
    private(set) var messageBytes = 0
    private var depthsOfMessages = LaneDepths()
    /// Messages whose last frame has left.
    private(set) var messagesProduced: UInt64 = 0
    /// What events that wait count against their limit.
    private(set) var eventBytes = 0
    /// Responses and failures that have not left, each of which ends a call.
    private(set) var finalFrames = 0

    var isEmpty: Bool { waiting == 0 && control.isEmpty && last.isEmpty }
    /// Bytes that wait, headers of messages not counted.
    var byteCount: Int { messageBytes + control.byteCount + last.byteCount }
    /// What these bytes and the messages around them count against the limit on memory.
    var heldBytes: Int { byteCount + waiting * SessionLimits.messageOverhead }
    var controlBytes: Int { control.byteCount }

    var depths: LaneDepths {
        var depths = depthsOfMessages
        depths.controlBytes = control.byteCount + last.byteCount
        return depths
    }

    /// Counts what has begun or ceased to wait in a lane.
    private mutating func note(_ lane: Lane, messages: Int, bytes: Int) {
        waiting += messages
        messageBytes += bytes
        depthsOfMessages[lane].messages += messages
        depthsOfMessages[lane].bytes += bytes
    }

    // MARK: Putting in

    /// Appends a control frame at once.
    mutating func appendControl(_ kind: FrameKind, stream: UInt32 = 0, handles: UInt8 = 0, payload: [UInt8], sealed: Bool) {
        control.append(kind, stream: stream, handles: handles, payload: payload, sealed: sealed)
    }

    /// Appends a control frame that overtakes nothing: behind everything that waits and will come.
    mutating func appendLast(_ kind: FrameKind, payload: [UInt8], sealed: Bool) {
        last.append(kind, stream: 0, handles: 0, payload: payload, sealed: sealed)
    }

    /// Appends bytes that are no frame: the preamble.
    mutating func appendControl(raw bytes: [UInt8]) { control.append(opening: bytes) }

    mutating func append(_ message: OutgoingMessage) {
        note(message.lane, messages: 1, bytes: message.remaining)
        if message.kind == .event {
            eventBytes += message.byteCount
            lanes[Int(message.lane.rawValue)].events.append(message)
            return
        }
        if message.kind.isFinal { finalFrames += 1 }
        if !behind.isEmpty, behind[message.sequence] != nil {
            behind[message.sequence]?.append(message)
            return
        }
        if message.isChunked { behind[message.sequence] = Queue() }
        lanes[Int(message.lane.rawValue)].messages.append(message)
    }

    /// Drops the oldest event of the lowest lane that has one to drop; the next one of that lane says that it is missing.
    mutating func dropOldestEvent() -> Bool {
        for index in lanes.indices.reversed() {
            guard let dropped = lanes[index].events.dropOldest() else { continue }
            note(dropped.lane, messages: -1, bytes: -dropped.remaining)
            eventBytes -= dropped.byteCount
            return true
        }
        return false
    }

    // MARK: Taking out

    /// A frame of the handshake is to leave next.
    var waitsForHandshake: Bool { control.beginsWithHandshake }
    /// What is to leave next begins a write of its own.
    var nextCarriesHandles: Bool { control.beginsWithHandles }

    /// Appends the next frame in order; false when nothing waits, or when the next one begins a write of its own.
    mutating func produceFrame(into output: inout OutputBuffer, sealed: Bool) -> Bool {
        if !control.isEmpty { return control.produceFrame(into: &output) }
        guard waiting > 0, let (index, isAlone) = nextLane() else { return !last.isEmpty && last.produceFrame(into: &output) }
        let before = output.count
        let takesEvent = lanes[index].messages.isEmpty || (lanes[index].eventsNext && !lanes[index].events.isEmpty)
        if takesEvent { produceEvent(index, &output, sealed) } else { produceMessage(index, &output, sealed) }
        lanes[index].eventsNext = !takesEvent
        if isAlone || lanes[index].isEmpty {
            lanes[index].allowance = 0
        } else {
            lanes[index].allowance -= output.count - before
        }
        return true
    }

    private mutating func produceEvent(_ index: Int, _ output: inout OutputBuffer, _ sealed: Bool) {
        let (bytes, finished) = lanes[index].events.writeFrame(to: &output, sealed: sealed)
        note(Lane.allCases[index], messages: finished == nil ? 0 : -1, bytes: -bytes)
        if let finished {
            messagesProduced += 1
            eventBytes -= finished.byteCount
        }
    }

    private mutating func produceMessage(_ index: Int, _ output: inout OutputBuffer, _ sealed: Bool) {
        guard var message = lanes[index].messages.popFirst() else { return }
        let before = message.remaining
        let last = message.writeFrame(to: &output, missed: 0, sealed: sealed)
        note(message.lane, messages: last ? -1 : 0, bytes: message.remaining - before)
        guard last else {
            lanes[index].messages.append(message)
            return
        }
        messagesProduced += 1
        if message.kind.isFinal { finalFrames -= 1 }
        if message.isChunked { releaseBehind(message.sequence) }
    }

    /// A chunked message of this sequence has left: those behind it take their places, up to the next chunked one.
    private mutating func releaseBehind(_ sequence: UInt64) {
        while let next = behind[sequence]?.popFirst() {
            lanes[Int(next.lane.rawValue)].messages.append(next)
            if next.isChunked { return }
        }
        behind[sequence] = nil
    }

    private mutating func nextLane() -> (index: Int, isAlone: Bool)? {
        var only: Int?
        for index in lanes.indices where !lanes[index].isEmpty {
            if only != nil { return nextLaneByWeight().map { ($0, false) } }
            only = index
        }
        return only.map { ($0, true) }
    }

    private mutating func nextLaneByWeight() -> Int? {
        while true {
            for index in lanes.indices where !lanes[index].isEmpty && lanes[index].allowance > 0 { return index }
            for index in lanes.indices where !lanes[index].isEmpty { lanes[index].allowance += Self.weights[index] * Self.quantum }
        }
    }

    // MARK: Giving up

    /// What became of the messages of a stream that nobody wants any more.
    struct Dropped: Sendable, Equatable {
        /// The request was among them and had not begun to leave.
        var requestUnsent = false
        /// What that request was charged.
        var requestBytes = 0
    }

    mutating func drop(stream: UInt32) -> Dropped {
        var dropped = Dropped()
        guard waiting > 0 else { return dropped }
        func forget(_ message: OutgoingMessage) {
            note(message.lane, messages: -1, bytes: -message.remaining)
            if message.kind.isFinal { finalFrames -= 1 }
            if message.kind == .request, !message.started {
                dropped.requestUnsent = true
                dropped.requestBytes = message.charge
            }
        }
        behind.removeValue(forKey: UInt64(stream))?.forEach(forget)
        for index in lanes.indices {
            var found: [OutgoingMessage] = []
            lanes[index].messages.forEach { if $0.stream == stream { found.append($0) } }
            guard !found.isEmpty else { continue }
            found.forEach(forget)
            lanes[index].messages.removeAll { $0.stream == stream }
        }
        return dropped
    }

    /// Drops everything but the handshake; the streams whose request had not begun to leave.
    mutating func dropAll() -> Set<UInt32> {
        control.dropAfterHandshake()
        var unsent: Set<UInt32> = []
        for lane in lanes {
            lane.messages.forEach { if $0.kind == .request, !$0.started { unsent.insert($0.stream) } }
        }
        lanes = [LaneQueue](repeating: LaneQueue(), count: Lane.allCases.count)
        behind = [:]
        waiting = 0
        messageBytes = 0
        depthsOfMessages = LaneDepths()
        eventBytes = 0
        finalFrames = 0
        return unsent
    }
}
