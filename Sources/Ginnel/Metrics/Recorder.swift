// What a service or a client counts. One for each of them, made with it, so that metrics can be asked for at any time.
//
// What happens with every call goes to atomic counters of the loop on which it happens (`CallMeter`, `CounterBlock`). What happens seldom, a connection that begins or ends, is
// behind a lock; there the traffic of a connection that ends goes over into the totals in one step, so that no total is ever seen to shrink.
//
// Names of methods become labels. Those that are served exist and are few; those that are called are the program's choice, so of them only so many are told apart.

internal import GinnelCore
internal import GinnelTransport
internal import Synchronization

final class Recorder: Sendable {
    /// How many methods that are called here are told apart.
    private static let methodLimit = 200
    /// How many connections a snapshot lists.
    private static let peerLimit = 500

    private struct State {
        var connections: [ObjectIdentifier: Connection] = [:]
        var opened = 0
        var tallies: [Tally: [String: UInt64]] = [:]
        var served: [String: CallMeter] = [:]
        var made: [String: CallMeter] = [:]
        /// The one that was asked for last: programs call the same method again and again.
        var last: CallMeter?
    }

    let instruments: Instruments
    /// Calls of methods that do not exist, all together.
    let unknown: CallMeter
    private let other: CallMeter
    private let lanes: Int
    private let began = ContinuousClock.now
    private let measures: CounterBlock
    private let state = Guarded(State())

    init(lanes: Int, _ instruments: Instruments) {
        self.lanes = max(1, lanes)
        self.instruments = instruments
        unknown = CallMeter(.served, "(unknown)", lanes: lanes, ended: instruments.callEnded)
        other = CallMeter(.made, "(other)", lanes: lanes, ended: instruments.callEnded)
        measures = CounterBlock(count: Measure.allCases.count, lanes: lanes)
    }

    // MARK: Counting

    func add(_ amount: Int = 1, to measure: Measure, lane: Int = 0) { measures.add(UInt64(bitPattern: Int64(amount)), to: measure.rawValue, lane: lane) }

    func note(_ tally: Tally, _ code: FailureCode) { state.withLock { $0.tallies[tally, default: [:]][code.label, default: 0] += 1 } }

    /// The lane of a loop that has this number.
    func lane(_ loop: Int) -> Int { loop % lanes }

    /// For a method that is served here: the same one on every connection.
    func served(_ method: String) -> CallMeter {
        state.withLock { state in
            if let known = state.served[method] { return known }
            let meter = CallMeter(.served, method, lanes: lanes, ended: instruments.callEnded)
            state.served[method] = meter
            return meter
        }
    }

    /// For a method that is called here.
    func made(_ method: String) -> CallMeter {
        state.withLock { state in
            if let last = state.last, last.method == method { return last }
            let meter: CallMeter
            if let known = state.made[method] {
                meter = known
            } else {
                guard state.made.count < Self.methodLimit else { return other }
                meter = CallMeter(.made, method, lanes: lanes, ended: instruments.callEnded)
                state.made[method] = meter
            }
            state.last = meter
            return meter
        }
    }

    // MARK: Connections

    func opened(_ connection: Connection) {
        state.withLock { state in
            state.connections[ObjectIdentifier(connection)] = connection
            state.opened += 1
            connection.counts.number.store(state.opened, ordering: .relaxed)
        }
        add(to: .connectionsOpened)
    }

    func ended(_ connection: Connection, _ reason: CloseReason) {
        state.withLock { state in
            guard state.connections.removeValue(forKey: ObjectIdentifier(connection)) != nil else { return }
            let traffic = connection.traffic
            for (measure, value) in Self.measures(of: traffic) { measures.add(value, to: measure.rawValue, lane: 0) }
        }
        note(.connectionsEnded, reason.failure.code)
    }

    private static func measures(of traffic: Traffic.Reading) -> [(Measure, UInt64)] {
        [
            (.reads, traffic.reads), (.bytesRead, traffic.bytesRead), (.writes, traffic.writes), (.bytesWritten, traffic.bytesWritten),
            (.messagesWritten, traffic.messagesWritten),
        ]
    }

    // MARK: The snapshot

    /// All of it now. `peers`: with what is known of each connection.
    func snapshot(service: String, program: String, engine: Engine, peers: Bool) -> MetricsSnapshot {
        var snapshot = MetricsSnapshot(service: service, program: program, engine: engine.name, uptime: (ContinuousClock.now - began) / .seconds(1))
        let (connections, meters, totals) = state.withLock { state in
            for (tally, reasons) in state.tallies { snapshot.reasons[tally.about.name] = reasons }
            var totals = measures.totals(0..<Measure.allCases.count)
            for connection in state.connections.values {
                for (measure, value) in Self.measures(of: connection.traffic) { totals[measure.rawValue] &+= value }
            }
            return (Array(state.connections.values), Array(state.served.values) + state.made.values, totals)
        }
        let readings = connections.map(\.reading).sorted { $0.id < $1.id }
        for transport in Transport.allCases { snapshot.connections[transport.rawValue] = readings.count { $0.transport == transport.rawValue } }
        if peers {
            snapshot.peers = Array(readings.prefix(Self.peerLimit))
            snapshot.peersUnlisted = readings.count - snapshot.peers.count
            snapshot.users = MetricsSnapshot.users(of: readings)
        }
        for measure in Measure.allCases {
            switch measure.about.kind {
            case .counter: snapshot.counters[measure.about.name] = totals[measure.rawValue]
            case .gauge: snapshot.gauges[measure.about.name] = Double(Int64(bitPattern: totals[measure.rawValue]))
            }
        }
        snapshot.fallbacks = Int(clamping: totals[Measure.fallbacks.rawValue])
        snapshot.gauges[Measure.callsInFlight.about.name] = Double(readings.reduce(0) { $0 + $1.callsInFlight })
        snapshot.gauges[Measure.bytesWaiting.about.name] = Double(readings.reduce(0) { $0 + $1.bytesWaiting })
        let (messages, writes) = (totals[Measure.messagesWritten.rawValue], totals[Measure.writes.rawValue])
        snapshot.gauges[Measure.messagesPerWrite.about.name] = writes == 0 ? 0 : Double(messages) / Double(writes)
        snapshot.calls = (meters + [unknown, other]).map(\.reading).filter { !$0.isEmpty }.sorted { ($0.direction.rawValue, $0.method) < ($1.direction.rawValue, $1.method) }
        return snapshot
    }
}
