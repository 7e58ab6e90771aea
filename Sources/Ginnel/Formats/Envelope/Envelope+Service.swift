// What a service of the envelope format tells its agents.

extension Envelope {
    /// Asks a user to begin a backup.
    public struct BackupRequest: EnvelopePayload, Equatable {
        public typealias Response = Nothing
        public static let type = "BACKUP_REQUEST"
        public var userId: String
        /// `normal`, the default, `high` or `urgent`.
        public var priority: String
        /// When it must be done; `nil` when that is not said.
        public var deadline: Time?
        /// What is to be backed up, such as `files`, `browsers`, `email`, `system`.
        public var categories: [String]

        public init(userId: String, priority: String = "normal", deadline: Time? = nil, categories: [String] = []) {
            self.userId = userId
            self.priority = priority
            self.deadline = deadline
            self.categories = categories
        }

        public init(from decoder: any Decoder) throws {
            let members = try decoder.container(keyedBy: CodingKeys.self)
            userId = try members.value(.userId, or: "")
            priority = try members.value(.priority, or: "normal")
            deadline = try members.decodeIfPresent(Time.self, forKey: .deadline)
            categories = try members.value(.categories, or: [])
        }
    }

    /// How the migration as a whole goes.
    public struct StatusUpdate: EnvelopePayload, Equatable {
        public typealias Response = Nothing
        public static let type = "STATUS_UPDATE"
        /// `waiting`, `in_progress`, `blocked` or `ready`.
        public var overallStatus: String
        public var blockingUsers: [String]
        public var readyUsers: [String]
        public var totalUsers: Int

        public init(overallStatus: String, blockingUsers: [String] = [], readyUsers: [String] = [], totalUsers: Int = 0) {
            self.overallStatus = overallStatus
            self.blockingUsers = blockingUsers
            self.readyUsers = readyUsers
            self.totalUsers = totalUsers
        }

        public init(from decoder: any Decoder) throws {
            let members = try decoder.container(keyedBy: CodingKeys.self)
            overallStatus = try members.value(.overallStatus, or: "")
            blockingUsers = try members.value(.blockingUsers, or: [])
            readyUsers = try members.value(.readyUsers, or: [])
            totalUsers = try members.value(.totalUsers, or: 0)
        }
    }

    /// People have been told that something goes wrong.
    public struct EscalationNotice: EnvelopePayload, Equatable {
        public typealias Response = Nothing
        public static let type = "ESCALATION_NOTICE"
        /// `quota_exceeded`, `sync_error`, `large_pst`, `timeout` or `max_delays_exceeded`.
        public var reason: String
        public var details: String
        public var ticketNumber: String?

        public init(reason: String, details: String = "", ticketNumber: String? = nil) {
            self.reason = reason
            self.details = details
            self.ticketNumber = ticketNumber
        }

        public init(from decoder: any Decoder) throws {
            let members = try decoder.container(keyedBy: CodingKeys.self)
            reason = try members.value(.reason, or: "")
            details = try members.value(.details, or: "")
            ticketNumber = try members.decodeIfPresent(String.self, forKey: .ticketNumber)
        }
    }

    /// A setting has a new value.
    public struct ConfigurationUpdate: EnvelopePayload, Equatable {
        public typealias Response = Nothing
        public static let type = "CONFIGURATION_UPDATE"
        public var key: String
        public var value: Value
        /// Default `user`.
        public var scope: String

        public init(key: String, value: Value, scope: String = "user") {
            self.key = key
            self.value = value
            self.scope = scope
        }

        public init(from decoder: any Decoder) throws {
            let members = try decoder.container(keyedBy: CodingKeys.self)
            key = try members.value(.key, or: "")
            value = try members.value(.value, or: .null)
            scope = try members.value(.scope, or: "user")
        }
    }

    /// Asks an agent to end.
    public struct ShutdownRequest: EnvelopePayload, Equatable {
        public typealias Response = Nothing
        public static let type = "SHUTDOWN_REQUEST"
        public var reason: String
        /// Default 30.
        public var gracePeriodSeconds: Int

        public init(reason: String = "", gracePeriodSeconds: Int = 30) {
            self.reason = reason
            self.gracePeriodSeconds = gracePeriodSeconds
        }

        public init(from decoder: any Decoder) throws {
            let members = try decoder.container(keyedBy: CodingKeys.self)
            reason = try members.value(.reason, or: "")
            gracePeriodSeconds = try members.value(.gracePeriodSeconds, or: 30)
        }
    }
}
