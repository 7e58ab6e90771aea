// What both sides say, and the session for them: a program neither sends nor sees these two, but may want to write or read them, as in a recording.

extension Envelope {
    /// A sign of life.
    public struct Heartbeat: Message, Equatable {
        public static let type = "HEARTBEAT"
        public var senderId: String
        public var timestamp: Time
        public var sequenceNumber: Int64

        public init(senderId: String, timestamp: Time, sequenceNumber: Int64) {
            self.senderId = senderId
            self.timestamp = timestamp
            self.sequenceNumber = sequenceNumber
        }
    }

    /// A message has arrived, or could not be dealt with.
    public struct Acknowledgment: Message, Equatable {
        public static let type = "ACKNOWLEDGMENT"
        public var originalMessageId: String
        public var success: Bool
        public var error: String?
        public var timestamp: Time

        public init(originalMessageId: String, success: Bool, error: String? = nil, timestamp: Time) {
            self.originalMessageId = originalMessageId
            self.success = success
            self.error = error
            self.timestamp = timestamp
        }
    }
}
