// One side's program in a simulation: it calls, answers, streams and gives up at random, and knows what it must get.
//
// Every payload follows from who sends it and how many came before, so each side can tell what the other must have sent.

import GinnelTesting

@testable import GinnelCore

struct SimulatedProgram {
    private(set) var problems: [String] = []
    private let role: Role
    private let longest: Int
    private let peerLongest: Int
    private var calls: [SimulatedCall] = []
    private var handlers: [UInt32: SimulatedHandler] = [:]
    private var events: [UInt32] = [0, 0, 0, 0]
    private var heard: [UInt32] = [0, 0, 0, 0]
    private var pings: UInt64 = 0
    private var pongs: UInt64 = 0

    init(_ role: Role, longest: Int, peerLongest: Int) {
        self.role = role
        self.longest = longest
        self.peerLongest = peerLongest
    }

    static let base = pattern(260_000, seed: 99)

    /// The `index`-th payload of what `key` names, no longer than `limit`.
    static func payload(_ key: Int, _ index: Int, limit: Int) -> [UInt8] {
        var random = SplitMix64(seed: UInt64(key) << 20 ^ UInt64(index))
        let size = min(limit, random.oneIn(4) ? random.number(in: 0...limit) : random.number(in: 0...300))
        let start = random.number(in: 0...base.count - size)
        return Array(base[start..<start + size])
    }

    // MARK: Acting

    mutating func act(_ end: inout MachineEnd, _ random: inout SplitMix64) {
        switch random.number(in: 0...11) {
        case 0, 1: for _ in 0..<random.number(in: 1...4) where calls.count < 60 { makeCall(&end, &random) }
        case 2:
            let live = calls.filter { !$0.token.hasEnded }
            if !live.isEmpty { end.submit(.abandon(live[random.number(in: 0...live.count - 1)].token, Failure(.cancelled, "bored"))) }
        case 3, 4: sendItems(&end, &random)
        case 5, 6: consume(&end, &random)
        case 7, 8: answer(&end, &random)
        case 9: sendEvent(&end, &random)
        case 10: handlerItems(&end, &random)
        default:
            pings += 1
            end.submit(.ping(pings))
        }
    }

    private mutating func makeCall(_ end: inout MachineEnd, _ random: inout SplitMix64) {
        let index = calls.count
        let token = RecordedCall("\(role == .client ? "c" : "s")\(index)")
        let streams = random.oneIn(3)
        let deadline = random.oneIn(4) ? end.now.advanced(by: .milliseconds(random.number(in: 1...150))).continuous : nil
        let payload = Self.payload(key(index, "request"), 0, limit: longest - 300)
        calls.append(SimulatedCall(token: token, streams: streams, hasDeadline: deadline != nil))
        end.submit(
            .call(
                token,
                OutgoingRequest(
                    method: token.name, codec: .raw, payload: payload, deadline: deadline, lane: Lane.allCases[random.number(in: 1...3)], itemsFollow: streams)))
    }

    private func key(_ index: Int, _ what: String, of caller: Role? = nil) -> Int {
        let kinds = ["request", "reply", "up", "down"]
        return ((caller ?? role) == .client ? 0 : 1) << 16 | index << 3 | (kinds.firstIndex(of: what) ?? 7)
    }

    private mutating func sendItems(_ end: inout MachineEnd, _ random: inout SplitMix64) {
        for index in calls.indices where calls[index].streams && !calls[index].token.hasEnded && !calls[index].ended {
            let ends = random.oneIn(6)
            let payload = ends ? nil : Self.payload(key(index, "up"), calls[index].sent, limit: longest)
            let acceptance = end.submit(.sendItem(calls[index].token, codec: .raw, payload: payload))
            if case .taken = acceptance { if ends { calls[index].ended = true } else { calls[index].sent += 1 } }
            if case .tooLarge = acceptance { problems.append("an item of \(payload?.count ?? 0) bytes is too large") }
        }
    }

    private mutating func handlerItems(_ end: inout MachineEnd, _ random: inout SplitMix64) {
        for (call, handler) in handlers where !handler.stopped && random.oneIn(2) {
            let payload = Self.payload(key(handler.index, "down", of: role.other), handler.sent, limit: longest)
            if case .taken = end.submit(.item(call: call, codec: .raw, payload: payload)) { handlers[call]?.sent += 1 }
        }
    }

    private mutating func sendEvent(_ end: inout MachineEnd, _ random: inout SplitMix64) {
        let lane = random.number(in: 1...3)
        events[lane] += 1
        let size = random.oneIn(5) ? random.number(in: 0...min(longest - 20, 140_000)) : 8
        end.submit(
            .event(
                name: "e\(lane)", codec: .raw, payload: WireFrame.u32(events[lane]) + Self.base.prefix(size), lane: Lane.allCases[lane]))
    }

    private mutating func consume(_ end: inout MachineEnd, _ random: inout SplitMix64) {
        for index in calls.indices where !calls[index].unread.isEmpty { end.submit(.grant(calls[index].token, bytes: calls[index].unread.removeFirst())) }
        for call in handlers.keys.sorted() {
            guard let bytes = handlers[call]?.unread.first else { continue }
            handlers[call]?.unread.removeFirst()
            end.submit(.accept(call: call, bytes: bytes))
        }
    }

    private mutating func answer(_ end: inout MachineEnd, _ random: inout SplitMix64) {
        guard let call = handlers.keys.sorted().first(where: { _ in random.oneIn(2) }), let handler = handlers.removeValue(forKey: call) else { return }
        if random.oneIn(4) {
            end.submit(.fail(call: call, Failure(.forbidden, "no \(handler.index)")))
        } else {
            end.submit(.reply(call: call, codec: .json, payload: Self.payload(key(handler.index, "reply", of: role.other), 0, limit: longest)))
        }
    }

    // MARK: Looking

    /// Reads what has happened and compares it with what must have.
    mutating func look(_ end: inout MachineEnd, _ random: inout SplitMix64) {
        for action in end.takeActions() {
            switch action {
            case .request(let request): begin(request)
            case .item(let call, _, let payload): take(call, payload)
            case .cancel(let call, _): handlers[call]?.stopped = true
            case .streamed(let name, _, let payload): take(name, payload)
            case .event(let name, _, let payload, let missed): hear(name, payload, missed)
            case .replied(let name, _, _), .failed(let name, _): check(name)
            case .pong(let value):
                if value != 0, value != pongs + 1 { problems.append("pong \(value) after \(pongs)") }
                if value != 0 { pongs = value }
            default: break
            }
        }
    }

    private mutating func begin(_ request: RecordedRequest) {
        guard let index = Int(request.method.dropFirst()), handlers[request.call] == nil else { return problems.append("request \(request)") }
        if request.payload != Self.payload(key(index, "request", of: role.other), 0, limit: peerLongest - 300) {
            problems.append("\(request.method): \(request.payload.count) bytes that were not sent")
        }
        handlers[request.call] = SimulatedHandler(index: index)
    }

    private mutating func take(_ call: UInt32, _ payload: [UInt8]?) {
        guard let handler = handlers[call] else { return problems.append("an item for call \(call), which has no handler") }
        if handler.ended || handler.stopped { problems.append("an item for call \(call) after its end") }
        guard let payload else {
            handlers[call]?.ended = true
            return
        }
        if payload != Self.payload(key(handler.index, "up", of: role.other), handler.received, limit: peerLongest) {
            problems.append("item \(handler.received) of call \(call) is wrong")
        }
        handlers[call]?.received += 1
        handlers[call]?.unread.append(payload.count)
    }

    private mutating func take(_ name: String, _ payload: [UInt8]) {
        guard let index = Int(name.dropFirst()), calls.indices.contains(index) else { return problems.append("an item for \(name)") }
        if payload != Self.payload(key(index, "down"), calls[index].received, limit: peerLongest) { problems.append("item \(calls[index].received) of \(name) is wrong") }
        calls[index].received += 1
        calls[index].unread.append(payload.count)
    }

    private mutating func hear(_ name: String, _ payload: [UInt8], _ missed: UInt32) {
        guard let lane = Int(name.dropFirst()), payload.count >= 4 else { return problems.append("event \(name)") }
        let number = WireFrame.u32(payload[..<4])
        if number != heard[lane] + missed + 1 { problems.append("event \(number) of lane \(lane) after \(heard[lane]), \(missed) missed") }
        if !Self.base.starts(with: payload.dropFirst(4)) { problems.append("event \(number) of lane \(lane) is damaged") }
        heard[lane] = number
    }

    private mutating func check(_ name: String) {
        guard let index = Int(name.dropFirst()), calls.indices.contains(index) else { return problems.append("an end of \(name)") }
        let call = calls[index]
        guard call.token.outcomes.count == 1 else { return problems.append("\(name) has \(call.token.outcomes.count) outcomes") }
        switch call.token.outcomes[0] {
        case .replied(let codec, let payload):
            if codec != .json || payload != Self.payload(key(index, "reply"), 0, limit: peerLongest) { problems.append("\(call.token.name): a reply that was not sent") }
        case .failed(let failure):
            let expected: Bool =
                switch failure.code {
                case .forbidden: failure.sentence == "no \(index)"
                case .cancelled: true
                case .deadlineExceeded: call.hasDeadline
                case .connectionLost, .unavailable: failure.sentence.contains("connection lost")
                default: false
                }
            if !expected { problems.append("\(call.token.name): \(failure)") }
        }
    }

    // MARK: Finishing

    mutating func finish(_ end: inout MachineEnd, _ random: inout SplitMix64) {
        for index in calls.indices where calls[index].streams && !calls[index].token.hasEnded && !calls[index].ended {
            if case .taken = end.submit(.sendItem(calls[index].token, codec: .raw, payload: nil)) { calls[index].ended = true }
        }
        while calls.contains(where: { !$0.unread.isEmpty }) || handlers.values.contains(where: { !$0.unread.isEmpty }) { consume(&end, &random) }
        answer(&end, &random)
    }

    var isFinished: Bool { handlers.isEmpty && calls.allSatisfy { $0.token.hasEnded } }

    /// Calls that did not end exactly once.
    var unfinished: [String] {
        calls.filter { $0.token.outcomes.count != 1 || $0.token.lateEvents > 0 || $0.token.callNumber != 0 }.map {
            "\(role): \($0.token.name) has \($0.token.outcomes.count) outcomes and \($0.token.lateEvents) late events"
        }
    }
}

private struct SimulatedCall {
    let token: RecordedCall
    let streams: Bool
    let hasDeadline: Bool
    var sent = 0
    var ended = false
    var received = 0
    /// Sizes of items that were not consumed yet.
    var unread: [Int] = []
}

private struct SimulatedHandler {
    let index: Int
    var sent = 0
    var received = 0
    var ended = false
    var stopped = false
    var unread: [Int] = []
}
