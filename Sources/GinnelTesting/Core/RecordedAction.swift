// What a machine asked its driver to do, as a value that can be compared: payloads are copied and calls are known by their names.

package import GinnelCore

package struct RecordedRequest: Equatable, Sendable {
    package var call: UInt32
    package var method: String
    package var codec: Codec
    package var payload: [UInt8]
    package var deadline: UInt64?
    package var lane: Lane
    package var itemsFollow: Bool
    package var trace: TraceContext?

    package init(
        call: UInt32, method: String, codec: Codec = .raw, payload: [UInt8] = [], deadline: UInt64? = nil, lane: Lane = .normal, itemsFollow: Bool = false,
        trace: TraceContext? = nil
    ) {
        self.call = call
        self.method = method
        self.codec = codec
        self.payload = payload
        self.deadline = deadline
        self.lane = lane
        self.itemsFollow = itemsFollow
        self.trace = trace
    }
}

package enum RecordedAction: Equatable, Sendable {
    case established(Establishment)
    case request(RecordedRequest)
    case item(call: UInt32, codec: Codec, payload: [UInt8]?)
    case carryOn(call: UInt32)
    case cancel(call: UInt32, Failure)
    case replied(String, codec: Codec, payload: [UInt8])
    case failed(String, Failure)
    case streamed(String, codec: Codec, payload: [UInt8])
    case mayCarryOn(String)
    case event(name: String, codec: Codec, payload: [UInt8], missed: UInt32)
    case message(OutgoingDelivery)
    case acknowledged([Acknowledgement])
    case messagesMayCarryOn
    case pong(UInt64)
    case farewell(Failure)
    case upgrade(UpgradeStep)
    case upgraded(Failure?)
    case close(CloseReason)

    /// Copies `action`, whose borrowed payload lies in `input`.
    package init(_ action: Action, input: borrowing RawSpan) {
        switch action {
        case .established(let establishment): self = .established(establishment)
        case .request(let request): self = .request(RecordedRequest(request, input: input))
        case .item(let call, let codec, let payload): self = .item(call: call, codec: codec, payload: payload?.copied(of: input))
        case .carryOn(let call): self = .carryOn(call: call)
        case .cancel(let call, let failure): self = .cancel(call: call, failure)
        case .replied(let token, let codec, let payload): self = .replied(Self.name(token), codec: codec, payload: payload.copied(of: input))
        case .failed(let token, let failure): self = .failed(Self.name(token), failure)
        case .streamed(let token, let codec, let payload): self = .streamed(Self.name(token), codec: codec, payload: payload.copied(of: input))
        case .mayCarryOn(let token): self = .mayCarryOn(Self.name(token))
        case .event(let name, let codec, let payload, let missed):
            self = .event(name: name, codec: codec, payload: payload.copied(of: input), missed: missed)
        case .message(let message):
            self = .message(
                OutgoingDelivery(
                    id: message.id, floor: message.floor, redelivered: message.redelivered, lane: message.lane, name: message.name, codec: message.codec,
                    payload: message.payload.copied(of: input)))
        case .acknowledged(let list): self = .acknowledged(list)
        case .messagesMayCarryOn: self = .messagesMayCarryOn
        case .pong(let value): self = .pong(value)
        case .farewell(let failure): self = .farewell(failure)
        case .upgrade(let step): self = .upgrade(step)
        case .upgraded(let failure): self = .upgraded(failure)
        case .close(let reason): self = .close(reason)
        }
    }

    private static func name(_ token: any OutgoingCall) -> String { (token as? RecordedCall)?.name ?? "a call" }
}

extension RecordedRequest {
    init(_ request: IncomingRequest, input: borrowing RawSpan) {
        self.init(
            call: request.call, method: request.method, codec: request.codec, payload: request.payload.copied(of: input), deadline: request.deadline,
            lane: request.lane, itemsFollow: request.itemsFollow, trace: request.trace)
    }
}

extension Action {
    /// Tells the caller what the action says about its call, as a driver does.
    func perform(input: borrowing RawSpan) {
        switch self {
        case .replied(let token, let codec, let payload): payload.withBytes(of: input) { token.replied(codec: codec, payload: $0) }
        case .failed(let token, let failure): token.failed(failure)
        case .streamed(let token, let codec, let payload): payload.withBytes(of: input) { token.received(item: $0, codec: codec) }
        case .mayCarryOn(let token): token.mayCarryOn()
        default: break
        }
    }
}
