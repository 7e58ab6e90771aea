// What an agent of the envelope format tells its service of a backup.

extension Envelope {
    /// A user has begun a backup.
    public struct BackupStarted: EnvelopePayload, Equatable {
        public typealias Response = Nothing
        public static let type = "BACKUP_STARTED"
        public var userId: String
        public var categories: [String]
        public var estimatedSizeMB: Double

        public init(userId: String, categories: [String] = [], estimatedSizeMB: Double = 0) {
            self.userId = userId
            self.categories = categories
            self.estimatedSizeMB = estimatedSizeMB
        }

        public init(from decoder: any Decoder) throws {
            let members = try decoder.container(keyedBy: CodingKeys.self)
            userId = try members.value(.userId, or: "")
            categories = try members.value(.categories, or: [])
            estimatedSizeMB = try members.value(.estimatedSizeMB, or: 0)
        }
    }

    /// How far a backup has got.
    public struct BackupProgress: EnvelopePayload, Equatable {
        public typealias Response = Nothing
        public static let type = "BACKUP_PROGRESS"
        public var userId: String
        public var category: String
        /// Percent.
        public var progress: Double
        public var currentFile: String?
        public var bytesTransferred: Int64
        public var bytesTotal: Int64

        public init(userId: String, category: String, progress: Double, currentFile: String? = nil, bytesTransferred: Int64 = 0, bytesTotal: Int64 = 0) {
            self.userId = userId
            self.category = category
            self.progress = progress
            self.currentFile = currentFile
            self.bytesTransferred = bytesTransferred
            self.bytesTotal = bytesTotal
        }

        public init(from decoder: any Decoder) throws {
            let members = try decoder.container(keyedBy: CodingKeys.self)
            userId = try members.value(.userId, or: "")
            category = try members.value(.category, or: "")
            progress = try members.value(.progress, or: 0)
            currentFile = try members.decodeIfPresent(String.self, forKey: .currentFile)
            bytesTransferred = try members.value(.bytesTransferred, or: 0)
            bytesTotal = try members.value(.bytesTotal, or: 0)
        }
    }

    /// A backup has ended.
    public struct BackupCompleted: EnvelopePayload, Equatable {
        public typealias Response = Nothing
        public static let type = "BACKUP_COMPLETED"
        public var userId: String
        public var success: Bool
        public var manifestPath: String?
        /// By their names.
        public var categories: [String: CategoryResult]

        public init(userId: String, success: Bool, manifestPath: String? = nil, categories: [String: CategoryResult] = [:]) {
            self.userId = userId
            self.success = success
            self.manifestPath = manifestPath
            self.categories = categories
        }

        public init(from decoder: any Decoder) throws {
            let members = try decoder.container(keyedBy: CodingKeys.self)
            userId = try members.value(.userId, or: "")
            success = try members.value(.success, or: false)
            manifestPath = try members.decodeIfPresent(String.self, forKey: .manifestPath)
            categories = try members.value(.categories, or: [:])
        }
    }

    /// What became of one category of a backup.
    public struct CategoryResult: Codable, Sendable, Equatable {
        public var success: Bool
        public var itemCount: Int
        public var error: String?

        public init(success: Bool, itemCount: Int, error: String? = nil) {
            self.success = success
            self.itemCount = itemCount
            self.error = error
        }

        public init(from decoder: any Decoder) throws {
            let members = try decoder.container(keyedBy: CodingKeys.self)
            success = try members.value(.success, or: false)
            itemCount = try members.value(.itemCount, or: 0)
            error = try members.decodeIfPresent(String.self, forKey: .error)
        }
    }
}
