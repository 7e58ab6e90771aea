// What a service or a client has counted, at one moment: what `metrics()` returns, and what `ginnel.metrics` answers as JSON (docs/protocol.md §5, docs/observability.md).

public import GinnelCore

/// What a service or a client has counted since it was made.
public struct MetricsSnapshot: Message, Equatable {
    /// The calls of one method in one direction.
    public struct Calls: Sendable, Equatable {
        public var direction: CallDirection
        /// A method that exists; all that do not are `(unknown)`, and more than 200 that are called `(other)`.
        public var method: String
        /// How many have ended how: `ok`, or the name of a code (docs/protocol.md §6); all codes of applications are `application`.
        public var outcomes: [String: UInt64]
        /// Of the calls that ran, whatever their outcome.
        public var durations: Histogram

        var isEmpty: Bool { outcomes.values.allSatisfy { $0 == 0 } }
    }

    /// One connection.
    public struct Peer: Codable, Sendable, Equatable {
        /// Differs between the connections of one service.
        public var id: Int
        /// Who it is, as far as the kernel says.
        public var user: UInt32?
        public var process: UInt32?
        public var sid: String?
        public var executable: String?
        public var transport: String
        /// Seconds.
        public var connectedFor: Double
        /// Calls of this peer: those whose async handlers run, and all so far.
        public var callsInFlight: Int
        public var calls: UInt64
        public var bytesRead: UInt64
        public var bytesWritten: UInt64
        /// What waits to be sent to it.
        public var bytesWaiting: Int
        /// The same by lane; `nil` where the format has none.
        public var lanes: LaneDepths?
        /// Writes to it, and the messages that left whole with them.
        public var writes: UInt64?
        public var messagesWritten: UInt64?
    }

    /// All connections of one user.
    public struct User: Codable, Sendable, Equatable {
        /// Who it is; both `nil` for peers of whom the system says nothing.
        public var user: UInt32?
        public var sid: String?
        public var connections = 0
        public var callsInFlight = 0
        public var bytesRead: UInt64 = 0
        public var bytesWritten: UInt64 = 0
        public var bytesWaiting = 0
    }

    /// The service's name; empty where its endpoint has none.
    public var service: String
    /// Name and version of the program, as it says.
    public var program: String
    /// What drives its connections.
    public var engine: String
    /// Seconds since it was made.
    public var uptime: Double
    /// Connections there are now, by what carries their bytes.
    public var connections: [String: Int] = [:]
    /// Connections since the start that wanted shared memory and stayed on the socket.
    public var fallbacks = 0
    /// Numbers that only grow, by name (docs/observability.md).
    public var counters: [String: UInt64] = [:]
    /// Numbers that go up and down, by name.
    public var gauges: [String: Double] = [:]
    /// Numbers that only grow and have a reason, by name and reason.
    public var reasons: [String: [String: UInt64]] = [:]
    public var calls: [Calls] = []
    /// Those that are connected now, the longest first, at most 500. Empty for whoever asks as another user than the service's, root excepted.
    public var peers: [Peer] = []
    /// How many more there are.
    public var peersUnlisted = 0
    /// What those that are connected now come to for each user, the one with the most connections first. Empty where `peers` is.
    public var users: [User] = []

    init(service: String, program: String, engine: String, uptime: Double) {
        self.service = service
        self.program = program
        self.engine = engine
        self.uptime = uptime
    }
}

// MARK: JSON

extension MetricsSnapshot: Codable {
    private enum Key: String, CodingKey {
        case service, program, engine, uptime, connections, fallbacks, counters, gauges, reasons, calls, peers, peersUnlisted, users
    }

    /// Members may be missing: a service says what its version counts.
    public init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: Key.self)
        func member<Value: Decodable>(_ key: Key, _ absent: Value) throws -> Value { try members.decodeIfPresent(Value.self, forKey: key) ?? absent }
        service = try member(.service, "")
        program = try member(.program, "")
        engine = try member(.engine, "")
        uptime = try member(.uptime, 0)
        connections = try member(.connections, [:])
        fallbacks = try member(.fallbacks, 0)
        counters = try member(.counters, [:])
        gauges = try member(.gauges, [:])
        reasons = try member(.reasons, [:])
        calls = try member(.calls, [])
        peers = try member(.peers, [])
        peersUnlisted = try member(.peersUnlisted, 0)
        users = try member(.users, [])
    }

    public func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: Key.self)
        try members.encode(service, forKey: .service)
        try members.encode(program, forKey: .program)
        try members.encode(engine, forKey: .engine)
        try members.encode(uptime, forKey: .uptime)
        try members.encode(connections, forKey: .connections)
        try members.encode(fallbacks, forKey: .fallbacks)
        try members.encode(counters, forKey: .counters)
        try members.encode(gauges, forKey: .gauges)
        try members.encode(reasons, forKey: .reasons)
        try members.encode(calls, forKey: .calls)
        try members.encode(peers, forKey: .peers)
        try members.encode(peersUnlisted, forKey: .peersUnlisted)
        try members.encode(users, forKey: .users)
    }
}

extension MetricsSnapshot.Calls: Codable {
    private enum Key: String, CodingKey { case direction, method, outcomes, durations }

    private enum DurationKey: String, CodingKey { case sum, buckets }

    /// Durations as `{"sum":…,"buckets":[[bound,count],…]}`, in nanoseconds, buckets with something in them alone.
    public init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: Key.self)
        direction = try members.decode(CallDirection.self, forKey: .direction)
        method = try members.decode(String.self, forKey: .method)
        outcomes = try members.decode([String: UInt64].self, forKey: .outcomes)
        let durations = try members.nestedContainer(keyedBy: DurationKey.self, forKey: .durations)
        let buckets = try durations.decode([[UInt64]].self, forKey: .buckets).filter { $0.count == 2 }
        self.durations = Histogram(filled: buckets.map { Histogram.Bucket(bound: $0[0], count: $0[1]) }, sum: try durations.decode(UInt64.self, forKey: .sum))
    }

    public func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: Key.self)
        try members.encode(direction, forKey: .direction)
        try members.encode(method, forKey: .method)
        try members.encode(outcomes, forKey: .outcomes)
        var durations = members.nestedContainer(keyedBy: DurationKey.self, forKey: .durations)
        try durations.encode(self.durations.sum, forKey: .sum)
        try durations.encode(self.durations.filled.map { [$0.bound, $0.count] }, forKey: .buckets)
    }
}
