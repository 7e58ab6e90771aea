// Short names for what the tests of delivery say all the time.

import GinnelTesting

@testable import GinnelCore

extension MachinePair {
    /// Two native sessions between which delivery is in force.
    static func delivering(client: Change = { _ in }, service: Change = { _ in }) -> MachinePair {
        .connected(
            client: {
                $0.offersDelivery = true
                client(&$0)
            },
            service: {
                $0.offersDelivery = true
                service(&$0)
            })
    }
}

extension HandGreeting {
    /// With feature bit 2 and a window.
    static func delivering(window: UInt32 = 4 << 20) -> HandGreeting { hello.with(2, WireFrame.u64(4)).with(12, window) }
}

extension MachineEnd {
    static func deliveringService(_ change: Change = { _ in }) -> MachineEnd {
        .openService(hello: .delivering()) {
            $0.offersDelivery = true
            change(&$0)
        }
    }

    @discardableResult
    mutating func send(
        _ id: UInt64, floor: UInt64 = 1, _ payload: [UInt8] = [], name: String = "m", lane: Lane = .normal, redelivered: Bool = false, codec: Codec = .raw
    ) -> Acceptance {
        submit(.message(OutgoingDelivery(id: id, floor: floor, redelivered: redelivered, lane: lane, name: name, codec: codec, payload: payload)))
    }

    @discardableResult
    mutating func acknowledge(_ id: UInt64, _ code: FailureCode? = nil) -> Acceptance { submit(.acknowledge(id: id, code: code)) }

    /// Ids of the messages that have arrived.
    var arrived: [UInt64] { actions.compactMap { if case .message(let message) = $0 { message.id } else { nil } } }

    var acknowledged: [Acknowledgement] { actions.flatMap { action -> [Acknowledgement] in if case .acknowledged(let list) = action { list } else { [] } } }

    var mayCarryOnWithMessages: Int { actions.count { $0 == .messagesMayCarryOn } }

    /// What is left of deliveries.
    var isAtRest: Bool { native?.delivery?.isEmpty != false }
}

extension WireFrame {
    static func message(_ id: UInt64, floor: UInt64? = nil, _ payload: [UInt8] = [], name: String = "m", lane: UInt8 = 2, flags: UInt8 = 0) -> WireFrame {
        WireFrame(Kind.message, lane: lane, messageBody(id, floor: floor, name, payload, flags: flags))
    }

    static func acknowledge(_ ids: UInt64..., code: UInt32 = 0) -> WireFrame { WireFrame(Kind.acknowledge, ids.flatMap { acknowledgement($0, code) }) }
}
