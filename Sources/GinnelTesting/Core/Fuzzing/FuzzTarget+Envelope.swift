// Envelopes for the fuzzer: it says which members a message has, and this writes them, since no fuzzer guesses a length and balances braces for long.

import GinnelCore

extension FuzzTarget {
    /// Each message is a byte that says its kind, and what that kind reads. Small limits, so that both sides of them are reached.
    static func envelope(_ bytes: [UInt8], _ role: Role) -> String? {
        var configuration = EnvelopeConfiguration()
        configuration.maximumMessage = 2048
        configuration.answers = ["FIRST": ["ANSWER", "OTHER"], "SECOND": ["OTHER"]]
        configuration.received = ["GIVEN"]
        configuration.limits.announced.callsInFlight = 2
        configuration.limits.bufferedBytes = 6000
        configuration.limits.controlBytes = 1200
        configuration.limits.eventBytes = 600
        configuration.timeouts.idle = .seconds(4)
        configuration.timeouts.heartbeat = .seconds(3)
        var script = FuzzedInput(bytes)
        var wire = [script.next()]
        while !script.isEmpty { wire += part(&script) }
        return law(wire, calling: ["FIRST", "PLAIN", "SECOND"]) { EnvelopeSession(role: role, configuration) }
    }

    private static func part(_ script: inout FuzzedInput) -> [UInt8] {
        let kind = script.next(below: 8)
        switch kind {
        case 0: return framed(script.bytes(script.next(below: 64)))
        case 1: return script.bytes(script.next(below: 16))
        case 2: return framed(envelope("HEARTBEAT", &script, payload: nil))
        case 3:
            // Ids of ours count from one.
            let original = "00000000-0000-8000-8000-00000000000\(script.next(below: 8))"
            let success = ["true", "false", "null", "1"][script.next(below: 4)]
            let error = ["", #","error":"no""#, #","error":null"#, #","error":"No handler registered for message type: x""#][script.next(below: 4)]
            return framed(envelope("ACKNOWLEDGMENT", &script, payload: #"{"originalMessageId":"\#(original)","success":\#(success)\#(error)}"#))
        default:
            let type = ["ANSWER", "OTHER", "GIVEN", "X"][kind - 4]
            let payload = ["null", "{}", "[1,2]", #""\u00e9""#, "-1.5e3"][script.next(below: 5)]
            return framed(envelope(type, &script, payload: payload))
        }
    }

    private static func envelope(_ type: String, _ script: inout FuzzedInput, payload: String?) -> [UInt8] {
        let id = ["", #""id":"a","#, #""id":null,"#, #""id":"0a1b2c3d-0000-4000-8000-00000000000\#(script.next(below: 4))","#, #""id":7,"#][script.next(below: 5)]
        let rest = payload.map { #","payload":\#($0)"# } ?? ""
        return Array(#"{\#(id)"type":"\#(type)"\#(rest)}"#.utf8)
    }

    private static func framed(_ text: [UInt8]) -> [UInt8] { WireFrame.u32(UInt32(text.count)) + text }
}
