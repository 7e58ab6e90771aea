// Short names for what the tests of the native protocol say all the time.

import GinnelTesting
import Testing

@testable import GinnelCore

/// HELLO or WELCOME, written by hand.
struct HandGreeting {
    var fields: [(tag: UInt16, bytes: [UInt8])]

    static var hello: HandGreeting {
        HandGreeting(fields: [
            (1, [0, 0]), (2, WireFrame.u64(0)), (3, [0, 1, 2]), (4, WireFrame.u32(1 << 20)), (5, WireFrame.u32(1024)),
            (6, WireFrame.u32(4 << 20)), (7, WireFrame.u32(256 << 10)), (8, WireFrame.u32(0)), (10, [UInt8](repeating: 0xC1, count: 16)),
        ])
    }

    static var welcome: HandGreeting { hello }

    /// The bytes of a field; setting `nil` leaves the field out.
    subscript(tag: UInt16) -> [UInt8]? {
        get { fields.first { $0.tag == tag }?.bytes }
        set {
            let index = fields.firstIndex { $0.tag == tag }
            switch (index, newValue) {
            case (let index?, let bytes?): fields[index].bytes = bytes
            case (let index?, nil): fields.remove(at: index)
            case (nil, let bytes?): fields.append((tag, bytes))
            case (nil, nil): break
            }
        }
    }

    func with(_ tag: UInt16, _ bytes: [UInt8]?) -> HandGreeting {
        var copy = self
        copy[tag] = bytes
        return copy
    }

    func with(_ tag: UInt16, _ value: UInt32) -> HandGreeting { with(tag, WireFrame.u32(value)) }

    var body: [UInt8] { fields.flatMap { WireFrame.field($0.tag, $0.bytes) } }

    /// Preamble and HELLO.
    var asHello: [UInt8] { WireFrame.preamble + WireFrame(WireFrame.Kind.hello, body).encoded }
    /// Preamble and WELCOME.
    var asWelcome: [UInt8] { WireFrame.preamble + WireFrame(WireFrame.Kind.welcome, body).encoded }
}

typealias Change = (inout NativeConfiguration) -> Void

func configuration(_ change: Change = { _ in }) -> NativeConfiguration {
    var configuration = NativeConfiguration(identity: Identity(high: 1, low: 2))
    configuration.timeouts.heartbeat = nil
    change(&configuration)
    return configuration
}

extension MachinePair {
    /// Two native sessions that have shaken hands.
    static func connected(client: Change = { _ in }, service: Change = { _ in }) -> MachinePair {
        var pair = MachinePair(client: configuration(client), service: configuration(service))
        pair.connect()
        return pair
    }
}

extension MachineEnd {
    /// A service that has shaken hands with a client made by hand; what was said and asked for until then is forgotten.
    static func openService(hello: HandGreeting = .hello, _ change: Change = { _ in }) -> MachineEnd {
        var end = MachineEnd(.service, configuration(change))
        end.start()
        end.receive(hello.asHello)
        end.forget()
        return end
    }

    /// A client that has shaken hands with a service made by hand.
    static func openClient(welcome: HandGreeting = .welcome, _ change: Change = { _ in }) -> MachineEnd {
        var end = MachineEnd(.client, configuration(change))
        end.start()
        end.receive(welcome.asWelcome)
        end.forget()
        return end
    }

    private mutating func forget() {
        takeActions()
        _ = takeAll()
    }

    /// Goes on with `stream` as the next number, as if all those before it had been used. Forgets the actions so far.
    mutating func jump(to stream: UInt32) {
        guard var machine = native else { return }
        machine.outgoing.nextStream = stream
        let time = now
        self = MachineEnd(machine)
        now = time
    }

    mutating func receive(_ frames: WireFrame...) {
        receive(frames.flatMap(\.encoded))
    }

    /// The machine itself, to look at what it keeps.
    var native: NativeSession? { session.machine as? NativeSession }

    /// What is left of calls and messages; a machine that has come to rest keeps nothing.
    var leftovers: [String] {
        guard let native else { return ["no native machine"] }
        var left: [String] = []
        if native.outgoing.count > 0 { left.append("\(native.outgoing.count) outgoing calls") }
        if native.outgoing.waitingCount > 0 { left.append("\(native.outgoing.waitingCount) waiting calls") }
        if native.incoming.count > 0 { left.append("\(native.incoming.count) incoming calls") }
        if !native.inbound.assembler.isEmpty { left.append("unfinished messages") }
        if native.hasOutput || native.outputBytes != 0 { left.append("\(native.outputBytes) bytes of output") }
        return left
    }

    /// The frames that it says now.
    mutating func frames() -> [WireFrame] { WireFrame.all(in: takeAll()) }
}

extension WireFrame {
    static func request(
        _ stream: UInt32, _ method: String = "m", _ payload: [UInt8] = [], timeLeft: UInt64 = .max, flags: UInt8 = 0, lane: UInt8 = 2
    ) -> WireFrame {
        WireFrame(Kind.request, stream: stream, flags: flags, lane: lane, requestBody(method, payload, timeLeft: timeLeft))
    }

    static func response(_ stream: UInt32, _ payload: [UInt8] = [], flags: UInt8 = 0) -> WireFrame {
        WireFrame(Kind.response, stream: stream, flags: flags, lane: 2, payload)
    }

    static func failure(_ stream: UInt32, _ code: FailureCode, _ sentence: String = "") -> WireFrame {
        WireFrame(Kind.failure, stream: stream, lane: 2, failureBody(code.rawValue, sentence))
    }

    static func item(_ stream: UInt32, _ payload: [UInt8] = [], flags: UInt8 = 0) -> WireFrame {
        WireFrame(Kind.item, stream: stream, flags: flags, lane: 2, payload)
    }

    static func end(_ stream: UInt32) -> WireFrame { WireFrame(Kind.end, stream: stream, lane: 2) }
    static func credit(_ stream: UInt32, _ bytes: UInt32) -> WireFrame { WireFrame(Kind.credit, stream: stream, u32(bytes)) }
    static func cancel(_ stream: UInt32, _ code: FailureCode = .cancelled) -> WireFrame { WireFrame(Kind.cancel, stream: stream, u32(code.rawValue)) }
    static func ping(_ value: UInt64 = 7) -> WireFrame { WireFrame(Kind.ping, u64(value)) }
    static func goodbye(_ code: FailureCode, _ sentence: String = "") -> WireFrame { WireFrame(Kind.goodbye, failureBody(code.rawValue, sentence)) }

    /// A message in chunks, of which the first holds `first` bytes and the others `rest`.
    static func chunks(
        _ kind: UInt8, stream: UInt32, lane: UInt8 = 2, flags: UInt8 = 0, announcing total: Int? = nil, first: Int, rest: Int, _ message: [UInt8]
    ) -> [WireFrame] {
        var frames = [
            WireFrame(
                kind, stream: stream, flags: flags | more, lane: lane, u32(UInt32(total ?? message.count)) + message.prefix(first))
        ]
        var left = message.dropFirst(first)
        while !left.isEmpty {
            let part = left.prefix(rest)
            left = left.dropFirst(part.count)
            frames.append(WireFrame(kind, stream: stream, flags: left.isEmpty ? continued : more | continued, lane: lane, Array(part)))
        }
        return frames
    }
}

/// The frames that a machine would say now; it goes on as if it had not been asked.
func framesWaiting(at end: MachineEnd) -> [WireFrame] {
    var copy = end
    return copy.frames()
}

/// The machine has closed the session over what the peer did: it says so in its own reason, it tells the peer in its last frame, and a real machine that
/// reads this frame names the same code.
func expectRefusal(
    _ end: inout MachineEnd, _ code: FailureCode, from role: Role = .service, sealed: Bool = false, _ location: SourceLocation = #_sourceLocation
) {
    #expect(end.closed?.by == .us, "\(end.actions)", sourceLocation: location)
    #expect(end.closed?.failure.code == code, "\(String(describing: end.closed))", sourceLocation: location)
    guard case .close? = end.actions.last else {
        Issue.record("the last action is \(String(describing: end.actions.last))", sourceLocation: location)
        return
    }
    let farewell = end.takeAll()
    let last = WireFrame.all(in: farewell).last
    #expect(last?.kind == WireFrame.Kind.goodbye, sourceLocation: location)
    #expect(last?.failureCode == code.rawValue, sourceLocation: location)

    guard let last else { return }
    let greeting = HandGreeting.hello.with(2, WireFrame.u64(sealed ? 1 : 0))
    var reader =
        role == .service
        ? MachineEnd.openClient(welcome: greeting) { $0.offersChecksums = sealed }
        : MachineEnd.openService(hello: greeting) { $0.offersChecksums = sealed }
    reader.receive(last)
    #expect(reader.closed?.by == .peer, sourceLocation: location)
    #expect(reader.closed?.failure.code == code, sourceLocation: location)
}

/// Bytes that differ from place to place, so that a piece that is lost or misplaced shows.
func pattern(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
    var random = SplitMix64(seed: seed)
    return random.bytes(count)
}
