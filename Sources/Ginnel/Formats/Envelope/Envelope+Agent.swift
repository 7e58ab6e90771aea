// What an agent of the envelope format tells its service, backups aside.

extension Envelope {
    /// An agent is there and ready. Answered with a `BackupRequest` or a `StatusUpdate`.
    public struct AgentStarted: EnvelopePayload, Equatable {
        public typealias Response = Answer
        public static let type = "AGENT_STARTED"
        /// Whom the agent says that it works for; who it is the kernel says (`CallContext.peer`).
        public var userId: String
        public var agentVersion: String
        public var sessionId: String

        public init(userId: String, agentVersion: String = "", sessionId: String = "") {
            self.userId = userId
            self.agentVersion = agentVersion
            self.sessionId = sessionId
        }

        public init(from decoder: any Decoder) throws {
            let members = try decoder.container(keyedBy: CodingKeys.self)
            userId = try members.value(.userId, or: "")
            // Older agents call it so.
            let older = try decoder.container(keyedBy: OlderKeys.self)
            agentVersion = try members.decodeIfPresent(String.self, forKey: .agentVersion) ?? older.value(.version, or: "")
            // A number on systems that number their sessions.
            sessionId = try (try? members.decode(Int64.self, forKey: .sessionId)).map { "\($0)" } ?? members.value(.sessionId, or: "")
        }

        private enum OlderKeys: String, CodingKey {
            case version
        }
    }

    /// A user asks for more time. Answered with a `BackupRequest` that has a new deadline, or an `EscalationNotice`.
    public struct DelayRequest: EnvelopePayload, Equatable {
        public typealias Response = Answer
        public static let type = "DELAY_REQUEST"
        public var userId: String
        public var reason: String
        /// Seconds.
        public var requestedDelay: Int
        /// How often the user has had more time already.
        public var delaysUsed: Int

        public init(userId: String, reason: String = "", requestedDelay: Int, delaysUsed: Int = 0) {
            self.userId = userId
            self.reason = reason
            self.requestedDelay = requestedDelay
            self.delaysUsed = delaysUsed
        }

        public init(from decoder: any Decoder) throws {
            let members = try decoder.container(keyedBy: CodingKeys.self)
            userId = try members.value(.userId, or: "")
            reason = try members.value(.reason, or: "")
            requestedDelay = try members.value(.requestedDelay, or: 0)
            delaysUsed = try members.value(.delaysUsed, or: 0)
        }
    }

    /// A user has done something else.
    public struct UserAction: EnvelopePayload, Equatable {
        public typealias Response = Nothing
        public static let type = "USER_ACTION"
        public var userId: String
        public var action: String
        public var details: [String: Value]

        public init(userId: String, action: String, details: [String: Value] = [:]) {
            self.userId = userId
            self.action = action
            self.details = details
        }

        public init(from decoder: any Decoder) throws {
            let members = try decoder.container(keyedBy: CodingKeys.self)
            userId = try members.value(.userId, or: "")
            action = try members.value(.action, or: "")
            details = try members.value(.details, or: [:])
        }
    }

    /// Something went wrong at the agent.
    public struct ErrorReport: EnvelopePayload, Equatable {
        public typealias Response = Nothing
        public static let type = "ERROR_REPORT"
        public var userId: String
        public var errorCode: String
        public var message: String
        public var stackTrace: String?
        public var context: [String: Value]

        public init(userId: String, errorCode: String, message: String = "", stackTrace: String? = nil, context: [String: Value] = [:]) {
            self.userId = userId
            self.errorCode = errorCode
            self.message = message
            self.stackTrace = stackTrace
            self.context = context
        }

        public init(from decoder: any Decoder) throws {
            let members = try decoder.container(keyedBy: CodingKeys.self)
            userId = try members.value(.userId, or: "")
            errorCode = try members.value(.errorCode, or: "")
            message = try members.value(.message, or: "")
            stackTrace = try members.decodeIfPresent(String.self, forKey: .stackTrace)
            context = try members.value(.context, or: [:])
        }
    }
}
