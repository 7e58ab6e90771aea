// What is fuzzed, as functions from bytes to what is wrong.
//
// Fuzz/run.sh feeds them what a coverage-guided fuzzer invents; an ordinary test replays the corpus that it left behind. Traps and the sanitizers are
// the fuzzer's business; these functions check what must hold besides: see `FuzzedMachine`.

import GinnelCore

package enum FuzzTarget: String, CaseIterable, Sendable {
    /// A service and a client that have read nothing yet; the bytes are what arrives.
    case nativeHandshake = "native-handshake"
    /// A service after the handshake; the bytes are a script.
    case nativeService = "native-service"
    /// A client after the handshake; the bytes are a script.
    case nativeClient = "native-client"
    /// A JSON text.
    case json
    /// What a tagged JSON service is sent; the first byte chooses settings.
    case taggedJSONService = "tagged-json-service"
    /// What a tagged JSON client is sent while it waits for replies; likewise.
    case taggedJSONClient = "tagged-json-client"
    /// What a headered service is sent; the bytes are a list of messages.
    case headeredService = "headered-service"
    /// What a headered client is sent while it waits for answers; likewise.
    case headeredClient = "headered-client"
    /// What a checksummed service is sent; the bytes are a list of messages.
    case checksummedService = "checksummed-service"
    /// What a checksummed client is sent while it waits for replies; likewise.
    case checksummedClient = "checksummed-client"
    /// A protobuf message.
    case protobuf
    /// What an envelope service is sent; the bytes are a list of messages.
    case envelopeService = "envelope-service"
    /// What an envelope client is sent while it waits for answers; likewise.
    case envelopeClient = "envelope-client"
    /// Shared memory as each side sees it; the bytes are what the other side does.
    case segment

    /// What is wrong, or `nil`.
    package func problem(with bytes: [UInt8]) -> String? {
        switch self {
        case .nativeHandshake: Self.law(bytes) { NativeSession(role: .service, Self.native) } ?? Self.law(bytes) { NativeSession(role: .client, Self.native) }
        case .nativeService: Self.play(bytes, MachineEnd(.service, Self.native), greeting: Self.greeting(WireFrame.Kind.hello))
        case .nativeClient: Self.play(bytes, MachineEnd(.client, Self.native), greeting: Self.greeting(WireFrame.Kind.welcome))
        case .json: Self.scan(bytes)
        case .taggedJSONService: Self.taggedJSON(bytes, .service)
        case .taggedJSONClient: Self.taggedJSON(bytes, .client)
        case .headeredService: Self.headered(bytes, .service)
        case .headeredClient: Self.headered(bytes, .client)
        case .checksummedService: Self.law(Self.checksummedInput(bytes), isOrdered: true) { OrderedSession(role: .service, Self.checksummed) }
        case .checksummedClient: Self.law(Self.checksummedInput(bytes), isOrdered: true, calling: ["task", "task"]) { OrderedSession(role: .client, Self.checksummed) }
        case .protobuf: Self.protobuf(bytes)
        case .envelopeService: Self.envelope(bytes, .service)
        case .envelopeClient: Self.envelope(bytes, .client)
        case .segment: FuzzedSegment.problem(with: bytes)
        }
    }

    // MARK: Machines

    /// Small limits, so that the fuzzer reaches both sides of them.
    private static var native: NativeConfiguration {
        var configuration = NativeConfiguration(identity: Identity(high: 1, low: 2))
        configuration.limits.announced.maximumMessage = 1024
        configuration.limits.announced.requestWindow = 1500
        configuration.limits.announced.callsInFlight = 3
        configuration.limits.announced.itemWindow = 100
        configuration.limits.announced.deliveryWindow = 1400
        configuration.limits.bufferedBytes = 1600
        configuration.limits.eventBytes = 200
        configuration.limits.waitingCalls = 4
        configuration.offersDelivery = true
        configuration.timeouts.idle = .seconds(4)
        configuration.timeouts.heartbeat = .seconds(3)
        return configuration
    }

    private static func greeting(_ kind: UInt8) -> [UInt8] {
        let limits: [(UInt16, UInt32)] = [(4, 1024), (5, 2), (6, 1100), (7, 60), (8, 0), (12, 1300)]
        let body = WireFrame.field(1, [0, 0]) + WireFrame.field(2, WireFrame.u64(4)) + limits.flatMap { WireFrame.field($0.0, WireFrame.u32($0.1)) }
        return WireFrame.preamble + WireFrame(kind, body + WireFrame.field(10, [UInt8](repeating: 7, count: 16))).encoded
    }

    private static func play(_ bytes: [UInt8], _ end: MachineEnd, greeting: [UInt8]) -> String? {
        var machine = FuzzedMachine(end)
        machine.end.start()
        machine.end.receive(greeting)
        return machine.play(FuzzedInput(bytes))
    }

    /// The decoder law for one cut and for single bytes, with calls that wait for an answer. Requests are answered as they come where the format is ordered and the
    /// next one waits for that, and else at the end, since an answer changes what may follow. The first byte says where to cut, the last whether the peer ends its side.
    ///
    /// In an ordered format the first call is on its way when the bytes come, and the second waits for its turn; then the same bytes come once more, for that one.
    ///
    /// - Parameters:
    ///   - payload: what the calls carry.
    ///   - event: what a service says while it has the request of this number in hand; `nil` for nothing.
    ///   - output: what is wrong with all that was sent by a session that is still open.
    static func law(
        _ bytes: [UInt8], isOrdered: Bool = false, calling methods: [String] = ["first", "second"], carrying payload: String = "{}", event: ((Int) -> [UInt8])? = nil,
        output: ([UInt8]) -> String? = { _ in nil }, _ machine: () -> any SessionMachine
    ) -> String? {
        var input = FuzzedInput(bytes)
        let cut = Int(input.next())
        let rest = input.rest
        let ends = rest.last.map { $0 & 1 == 1 } ?? true
        let portions: [[ArraySlice<UInt8>]] = [[rest], [rest.prefix(cut), rest.dropFirst(cut)], rest.indices.prefix(300).map { rest[$0...$0] } + [rest.dropFirst(300)]]
        var expected: [RecordedAction]?
        for portion in portions {
            var fuzzed = FuzzedMachine(MachineEnd(machine()))
            fuzzed.event = event
            fuzzed.end.start()
            for method in methods { fuzzed.call(method, [UInt8](payload.utf8), codec: .json) }
            if isOrdered { fuzzed.end.produce() }
            for part in portion {
                fuzzed.end.receive(Array(part))
                if isOrdered { fuzzed.answerAll() }
            }
            if isOrdered {
                fuzzed.end.produce()
                fuzzed.end.receive(Array(rest))
                fuzzed.answerAll()
                if fuzzed.end.closed == nil, let problem = fuzzed.problem() ?? output(fuzzed.end.takeAll()) { return problem }
            }
            fuzzed.answerAll()
            fuzzed.end.now = fuzzed.end.now.advanced(by: .milliseconds(4500))
            fuzzed.end.timeOut()
            if ends { fuzzed.end.inputEnded() }
            if let problem = fuzzed.problem() { return problem }
            if let expected, expected != fuzzed.end.actions { return "\(fuzzed.end.actions) in portions, and not \(expected)" }
            expected = fuzzed.end.actions
        }
        return nil
    }

    /// No fuzzer guesses a checksum, so its bytes say what messages to seal: for each four bytes of type, flags, id and length, then the payload. A length of 255 means
    /// 16 bytes that are sent as they are. Small limits, so that both sides of them are reached.
    private static func headered(_ bytes: [UInt8], _ role: Role) -> String? {
        var configuration = HeaderedConfiguration()
        configuration.maximumPayload = 300
        configuration.limits.announced.callsInFlight = 2
        configuration.limits.announced.itemWindow = 60
        configuration.limits.bufferedBytes = 1600
        configuration.limits.eventBytes = 200
        configuration.timeouts.idle = .seconds(4)
        configuration.timeouts.heartbeat = .seconds(3)
        var script = FuzzedInput(bytes)
        var wire = [script.next()]
        while !script.isEmpty {
            let type = script.next()
            let flags = script.next()
            let id = UInt64(script.next() & 7)
            let length = script.next()
            guard length != 255 else {
                wire += script.bytes(16)
                continue
            }
            let family: UInt16 = [0, 0x100, 0x200, 0][Int(type >> 6)]
            wire += HeaderedFrame(family | UInt16(type & 31), id: id, flags: flags & 12 | (flags == 255 ? 3 : 0), script.bytes(Int(length))).encoded
        }
        return law(wire, calling: ["ask_request", "edit_request", "tool_call"]) { HeaderedSession(role: role, configuration) }
    }

    // MARK: JSON

    /// A text is judged twice by ways that must agree, and what is found in it lies inside.
    private static func scan(_ bytes: [UInt8]) -> String? {
        let span = bytes.span.bytes
        let value = try? JSON.validate(span)
        let object = try? JSONObject(span, members: ["type", "id", "payload", ""])
        if (value?.kind == .object) != (object != nil) { return "validated as \(String(describing: value?.kind)), but as an object it \(object == nil ? "fails" : "passes")" }
        guard let value else { return nil }
        if value.range.lowerBound < 0 || value.range.upperBound > bytes.count || value.range.isEmpty { return "a value at \(value.range)" }
        for name in ["type", "id", "payload", ""] {
            guard let member = object?[name] else { continue }
            if !(value.range.lowerBound...value.range.upperBound).contains(member.range.upperBound) { return "member \(name) at \(member.range)" }
            if (member.kind == .string) != (member.string(in: span) != nil) { return "member \(name) has no text" }
            _ = member.integer(in: span, as: Int64.self)
            if (try? JSON.validate(span.extracting(member.range)))?.kind != member.kind { return "member \(name) is no \(member.kind) by itself" }
        }
        return nil
    }
}
