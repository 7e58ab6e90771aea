// How much waits for a peer, lane by lane: who looks at a slow connection wants to know what it is slow with.

/// What waits to be sent to one peer (docs/protocol.md §7). A message of which a part has left still counts as one, with the bytes that have not.
public struct LaneDepths: Sendable, Equatable, Codable {
    /// What waits in one lane.
    public struct Depth: Sendable, Equatable, Codable {
        public var messages = 0
        /// Headers not counted.
        public var bytes = 0

        public init() {}
    }

    /// Bytes of control frames: answers to pings, credit, cancels, farewells.
    public var controlBytes = 0
    public var high = Depth()
    public var normal = Depth()
    public var low = Depth()

    public init() {}

    /// Messages in the control lane, of which programs make none, count as `high`.
    subscript(lane: Lane) -> Depth {
        get {
            switch lane {
            case .control, .high: high
            case .normal: normal
            case .low: low
            }
        }
        set {
            switch lane {
            case .control, .high: high = newValue
            case .normal: normal = newValue
            case .low: low = newValue
            }
        }
    }
}
