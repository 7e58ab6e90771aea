// Tests/Vectors/native.json, which was written from docs/protocol.md by another program in another language.

import Foundation
import GinnelTesting

@testable import GinnelCore

struct NativeVectors: Decodable {
    struct Vector: Decodable {
        struct Piece: Decodable {
            let hex: String
            let patternStart: Int
            let patternCount: Int
        }
        let name: String
        let hex: String?
        let frames: [Piece]?
        let meaning: Meaning
    }

    struct Meaning: Decodable {
        struct Greeting: Decodable {
            let minorVersions: [UInt8]
            let features: UInt64
            let codecs: [String]
            let maximumMessage: Int
            let callsInFlight: Int
            let window: Int
            let itemWindow: Int
            let heartbeat: Int
            let deliveryWindow: Int?
            let service: String
            let identity: String
            let program: String
            let publicKey: String?
            let challenge: String?
            let longTermKey: String?
        }
        struct Run: Decodable {
            let byte: UInt8
            let count: Int

            var bytes: [UInt8] { [UInt8](repeating: byte, count: count) }
        }
        struct Request: Decodable {
            let method: String
            let timeLeft: String
            let payloadRun: Run?
            let payload: String?
            let payloadPattern: Int?
            let traceparent: String?
            let tracestate: String?
        }
        struct Event: Decodable {
            let name: String
            let missed: UInt32
            let payload: String
        }
        struct Message: Decodable {
            let id: String
            let floor: String
            let name: String
            let redelivered: Bool
            let payload: String
        }
        struct Record: Decodable {
            let id: String
            let code: UInt32
        }
        struct Failure: Decodable {
            let code: UInt32
            let sentence: String
            let details: String
        }
        struct Upgrade: Decodable {
            let verb: String
            let handles: Int
            let value: UInt32
        }
        let kind: String?
        let stream: UInt32?
        let lane: String?
        let codec: String?
        let itemsFollow: Bool?
        let payload: String?
        let payloadRun: Run?
        let credit: UInt32?
        let code: UInt32?
        let checksum: UInt32?
        let greeting: Greeting?
        let request: Request?
        let event: Event?
        let message: Message?
        let acknowledgements: [Record]?
        let failure: Failure?
        let upgrade: Upgrade?
    }

    let vectors: [Vector]

    static func read(from file: String = #filePath) throws -> NativeVectors {
        let path = URL(fileURLWithPath: file).deletingLastPathComponent().appendingPathComponent("../../Vectors/native.json")
        return try JSONDecoder().decode(NativeVectors.self, from: Data(contentsOf: path))
    }

    subscript(name: String) -> Vector? { vectors.first { $0.name == name } }

    /// The first `count` bytes of the pattern, from `start` on.
    static func pattern(_ start: Int, _ count: Int) -> [UInt8] { (start..<start + count).map { UInt8(truncatingIfNeeded: 7 * $0 + 3) } }

    static func bytes(_ hex: String) -> [UInt8] {
        let digits = Array(hex.utf8)
        return stride(from: 0, to: digits.count, by: 2).compactMap { UInt8(String(decoding: digits[$0..<$0 + 2], as: UTF8.self), radix: 16) }
    }
}

extension NativeVectors.Vector {
    var bytes: [UInt8] {
        if let hex { return NativeVectors.bytes(hex) }
        return (frames ?? []).flatMap { NativeVectors.bytes($0.hex) + NativeVectors.pattern($0.patternStart, $0.patternCount) }
    }
}

extension NativeVectors.Meaning {
    var codecValue: Codec {
        switch codec {
        case "json": .json
        case "protobuf": .protobuf
        default: .raw
        }
    }

    var laneValue: Lane {
        switch lane {
        case "control": .control
        case "high": .high
        case "low": .low
        default: .normal
        }
    }

    var payloadBytes: [UInt8] {
        if let count = request?.payloadPattern { return NativeVectors.pattern(0, count) }
        return NativeVectors.bytes(payload ?? request?.payload ?? event?.payload ?? message?.payload ?? "")
    }

    var failureValue: GinnelCore.Failure? {
        failure.map { GinnelCore.Failure(FailureCode(rawValue: $0.code), $0.sentence, details: NativeVectors.bytes($0.details)) }
    }

    var trace: TraceContext? { (request?.traceparent).flatMap { TraceContext(traceparent: $0, tracestate: request?.tracestate) } }

    /// Nanoseconds; `nil` when there is no deadline.
    var timeLeft: UInt64? { (request?.timeLeft).flatMap { UInt64($0) }.flatMap { $0 == .max ? nil : $0 } }
}

extension NativeVectors.Meaning.Greeting {
    var limits: AnnouncedLimits {
        var limits = AnnouncedLimits()
        limits.maximumMessage = maximumMessage
        limits.callsInFlight = callsInFlight
        limits.requestWindow = window
        limits.itemWindow = itemWindow
        if let deliveryWindow { limits.deliveryWindow = deliveryWindow }
        return limits
    }

    var identityValue: Identity {
        let bytes = NativeVectors.bytes(identity)
        func word(_ bytes: ArraySlice<UInt8>) -> UInt64 { bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) } }
        return Identity(high: word(bytes[..<8]), low: word(bytes[8...]))
    }

    /// A side that says this of itself.
    var configuration: NativeConfiguration {
        var configuration = NativeConfiguration(identity: identityValue)
        configuration.service = service
        configuration.program = program
        configuration.codecs = Set(codecs.map { ["raw": Codec.raw, "json": .json, "protobuf": .protobuf][$0] ?? .raw })
        configuration.offersChecksums = features & 1 == 1
        configuration.offersDelivery = features & 4 == 4
        configuration.limits.announced = limits
        configuration.timeouts.heartbeat = heartbeat == 0 ? nil : .milliseconds(heartbeat)
        return configuration
    }
}
