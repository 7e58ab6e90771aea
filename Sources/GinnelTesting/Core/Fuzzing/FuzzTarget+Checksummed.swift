// The checksummed format and protobuf under a fuzzer.

import GinnelCore

extension FuzzTarget {
    /// No fuzzer guesses a checksum, so its bytes say what messages to seal: a length, and so many bytes of payload. A length of 255 means 12 bytes that are sent as they are, one of 254
    /// a message whose checksum is that of the other polynomial. The first byte says where to cut, as everywhere. Small limits, so that both sides of them are reached.
    static func checksummedInput(_ bytes: [UInt8]) -> [UInt8] {
        var script = FuzzedInput(bytes)
        var wire = [script.next()]
        while !script.isEmpty {
            let length = script.next()
            switch length {
            case 255: wire += script.bytes(12)
            case 254: wire += ChecksummedFrame.encoded(script.bytes(3), .castagnoli)
            default: wire += ChecksummedFrame.encoded(script.bytes(Int(length)))
            }
        }
        return wire
    }

    static var checksummed: ChecksummedConfiguration {
        var configuration = ChecksummedConfiguration()
        configuration.maximumMessage = 200
        configuration.limits.bufferedBytes = 1600
        configuration.timeouts.idle = .seconds(4)
        configuration.handlerTimeout = .seconds(1)
        configuration.failureEncoder = { failure, request in request.first == 7 ? nil : Array(failure.sentence.utf8) + request }
        return configuration
    }

    /// A message that was read is written in a form that reads as the same message.
    static func protobuf(_ bytes: [UInt8]) -> String? {
        var limits = ProtobufLimits.defaults
        limits.maximumDepth = 12
        limits.maximumMessages = 40
        guard let message = try? EveryField(serializedBytes: bytes, limits: limits) else { return nil }
        do throws(ProtobufError) {
            let written = try message.serializedBytes()
            let again = try EveryField(serializedBytes: written, limits: limits).serializedBytes()
            return again == written ? nil : "\(written) is read and written again as \(again)"
        } catch {
            return "what was written is not read: \(error)"
        }
    }
}
