// A machine under a fuzzer's script, and what must hold of it at any time: calls end once, the close comes last and once, it neither spins nor talks on, and
// what it says is whole frames.

package import GinnelCore

package struct FuzzedMachine {
    package var end: MachineEnd
    /// What is said while the request of this number is in hand, just before it is answered; `nil` for nothing.
    package var event: ((_ request: Int) -> [UInt8])?
    private var calls: [RecordedCall] = []
    private var answered: Set<UInt32> = []
    /// Actions that have been looked at, and whether the close was among them.
    private var seen = 0
    /// Ids of messages that the peer has sent, as they came, and how many were sent.
    private var deliveries: [UInt64] = []
    private var messages: UInt64 = 0
    private var hasClosed = false

    package init(_ end: MachineEnd) { self.end = end }

    package mutating func call(_ method: String, _ payload: [UInt8], codec: Codec = .raw, lane: Lane = .normal, within limit: Duration? = nil, itemsFollow: Bool = false) {
        calls.append(end.call(method, payload, codec: codec, within: limit, lane: lane, itemsFollow: itemsFollow))
    }

    /// Answers every request that has arrived, in a way that follows from its payload.
    package mutating func answerAll() {
        var next = 0
        while next < end.requests.count {
            let request = end.requests[next]
            next += 1
            guard answered.insert(request.call).inserted else { continue }
            if let event { end.submit(.event(name: "event", codec: .json, payload: event(answered.count), lane: .normal)) }
            if request.payload.count % 3 == 0 {
                end.submit(.fail(call: request.call, Failure(.forbidden, "no")))
            } else {
                end.submit(.reply(call: request.call, codec: request.codec, payload: request.payload))
            }
            end.receive([])
        }
    }

    // MARK: The script

    mutating func play(_ script: FuzzedInput) -> String? {
        var script = script
        var steps = 0
        while !script.isEmpty, steps < 400 {
            step(&script)
            steps += 1
            if let problem = passingProblem() { return "step \(steps): \(problem)" }
        }
        if let problem = problem() { return "at rest: \(problem)" }
        end.inputEnded()
        return problem() ?? (calls.allSatisfy(\.hasEnded) ? nil : "a call has not ended")
    }

    private mutating func step(_ script: inout FuzzedInput) {
        switch script.next(below: 8) {
        case 0, 1, 2: end.receive(frame(&script).encoded)
        case 3: end.receive(script.bytes(script.next(below: 64)))
        case 4:
            end.now = end.now.advanced(by: .milliseconds(Int(script.next()) * 20))
            end.timeOut()
        case 5: answer(&script)
        case 6: command(&script)
        default: end.produce(goal: script.next(below: 2) == 0 ? 1 : .max)
        }
    }

    private func frame(_ script: inout FuzzedInput) -> WireFrame {
        let kind = script.next()
        let flags = script.next()
        let stream = UInt32(script.next(below: 8))
        let lane = UInt8(script.next(below: 4))
        var payload = script.bytes(script.next(below: 48))
        if kind == WireFrame.Kind.request, flags & WireFrame.continued == 0, script.next() & 1 == 0 {
            payload = (flags & WireFrame.more != 0 ? WireFrame.u32(UInt32(script.next()) + 13) : []) + WireFrame.requestBody("m", payload, timeLeft: .max)
        }
        if kind == WireFrame.Kind.message, flags & WireFrame.continued == 0, script.next() & 1 == 0 {
            let body = WireFrame.messageBody(UInt64(script.next()), floor: 1, "m", payload, flags: script.next() & 1)
            payload = (flags & WireFrame.more != 0 ? WireFrame.u32(UInt32(script.next()) + UInt32(body.count)) : []) + body
        }
        if kind == WireFrame.Kind.acknowledge, script.next() & 1 == 0 { payload = WireFrame.acknowledgement(UInt64(script.next()), UInt32(script.next())) }
        let isOfConnection = kind == WireFrame.Kind.message || kind == WireFrame.Kind.acknowledge
        return WireFrame(kind, stream: isOfConnection ? 0 : stream, flags: flags, lane: lane, payload)
    }

    private mutating func answer(_ script: inout FuzzedInput) {
        guard !end.requests.isEmpty else { return }
        let call = end.requests[script.next(below: end.requests.count)].call
        switch script.next(below: 4) {
        case 0: end.submit(.reply(call: call, codec: .raw, payload: [UInt8](repeating: 1, count: Int(script.next()) * 8)))
        case 1: end.submit(.fail(call: call, Failure(.internal, "no", details: script.bytes(4))))
        case 2: end.submit(.item(call: call, codec: .raw, payload: [UInt8](repeating: 2, count: Int(script.next()))))
        default: end.submit(.accept(call: call, bytes: Int(script.next())))
        }
    }

    private mutating func command(_ script: inout FuzzedInput) {
        let choice = script.next(below: 10)
        let size = Int(script.next()) * 5
        guard choice > 1, !calls.isEmpty || choice == 7 else {
            let lane = Lane.allCases[script.next(below: 4)]
            let limit: Duration? = choice == 0 ? nil : .milliseconds(size)
            return call("m", [UInt8](repeating: 3, count: size), lane: lane, within: limit, itemsFollow: size & 1 == 0)
        }
        let token = calls.isEmpty ? RecordedCall() : calls[script.next(below: calls.count)]
        let payload = [UInt8](repeating: 4, count: size)
        switch choice {
        case 2: end.submit(.abandon(token, Failure(.cancelled, "")))
        case 3: end.submit(.sendItem(token, codec: .raw, payload: payload))
        case 4: end.submit(.sendItem(token, codec: .raw, payload: nil))
        case 5: end.submit(.grant(token, bytes: size))
        case 6: end.submit(.event(name: "e", codec: .raw, payload: payload, lane: Lane.allCases[size & 3]))
        case 7 where size % 3 == 1: deliver(payload, lane: Lane.allCases[size & 3])
        case 7 where size % 3 == 2: end.submit(.acknowledge(id: deliveries.isEmpty ? 1 : deliveries[size % deliveries.count], code: size & 1 == 0 ? nil : .forbidden))
        case 7: end.submit(.ping(UInt64(size)))
        case 8: end.submit(.farewell(Failure(.finished, "")))
        default: end.submit(.close(Failure(.internal, "")))
        }
    }

    private mutating func deliver(_ payload: [UInt8], lane: Lane) {
        messages += 1
        end.submit(.message(OutgoingDelivery(id: messages, floor: 1, lane: lane, name: "m", payload: payload)))
    }

    // MARK: What must hold

    /// What does not hold now, or `nil`.
    package mutating func problem() -> String? {
        if let problem = passingProblem() { return problem }
        var drained = end
        let output = drained.takeAll()
        if drained.session.machine.hasOutput || drained.session.machine.outputBytes != 0 { return "output that does not come out" }
        return end.session.machine is NativeSession ? Self.problem(inFrames: output) : nil
    }

    /// The same without a look at the output.
    private mutating func passingProblem() -> String? {
        if end.isSpinning { return "a time-out that is due for ever" }
        for action in end.actions[seen...] {
            if case .close = action {
                if hasClosed { return "a second close" }
                hasClosed = true
            } else if hasClosed, !action.isRefusal {
                return "\(action) after the close"
            }
            if case .message(let message) = action { deliveries.append(message.id) }
        }
        seen = end.actions.count
        if (end.closed != nil) != hasClosed { return "closed without saying so" }
        for call in calls {
            if call.outcomes.count > 1 { return "\(call.outcomes.count) outcomes of one call" }
            if call.lateEvents > 0 { return "a call goes on after its end" }
            if hasClosed, !call.hasEnded { return "a call that the close has not ended" }
        }
        return nil
    }

    private static func problem(inFrames output: [UInt8]) -> String? {
        let start = output.starts(with: WireFrame.preamble) ? WireFrame.preamble.count : 0
        let frames = WireFrame.all(in: output)
        if frames.reduce(start, { $0 + 16 + $1.payload.count }) != output.count { return "output that is no whole frames" }
        return frames.first { $0.payload.count > 65_536 }.map { "a frame of \($0.payload.count) bytes" }
    }
}

extension RecordedAction {
    /// A call that ends badly: all that may come of what is asked of a closed machine.
    fileprivate var isRefusal: Bool { if case .failed = self { true } else { false } }
}
