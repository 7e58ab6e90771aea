// Points in time in messages of the envelope format.

internal import GinnelCore

#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

extension Envelope {
    /// A point in time, to 100 nanoseconds; ISO 8601 in UTC on the wire. Years 1 to 9999.
    public struct Time: Sendable, Hashable, Comparable, Codable, CustomStringConvertible {
        let timestamp: EnvelopeTimestamp

        init(_ timestamp: EnvelopeTimestamp) { self.timestamp = timestamp }

        /// Now, by the wall clock.
        public static var now: Time { Time(secondsSince1970: Date().timeIntervalSince1970) }

        /// Times that cannot be written count as the nearest that can; no number at all counts as 1970.
        public init(secondsSince1970 seconds: Double) {
            let bounded = min(max(seconds.isNaN ? 0 : seconds, -62_135_596_800), 253_402_300_799)
            timestamp = EnvelopeTimestamp(ticks: Int64(bounded * Double(EnvelopeTimestamp.ticksPerSecond)))
        }

        /// `nil` when the text is no date and time.
        public init?(_ text: String) {
            guard let timestamp = EnvelopeTimestamp(text) else { return nil }
            self.timestamp = timestamp
        }

        public var secondsSince1970: Double { Double(timestamp.ticks) / Double(EnvelopeTimestamp.ticksPerSecond) }

        public func advanced(by span: Duration) -> Time { Time(secondsSince1970: secondsSince1970 + span / .seconds(1)) }

        public static func < (left: Time, right: Time) -> Bool { left.timestamp.ticks < right.timestamp.ticks }

        public var description: String { timestamp.text }

        public init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            guard let time = Time(try container.decode(String.self)) else {
                throw DecodingError.dataCorruptedError(in: container, debugDescription: "no date and time of ISO 8601")
            }
            self = time
        }

        public func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            try container.encode(description)
        }
    }
}
