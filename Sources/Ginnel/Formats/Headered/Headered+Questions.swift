// Questions about code and what comes of them.

extension Headered {
    /// A question.
    public struct AskRequest: Request, Equatable {
        public typealias Response = AskResponse
        public static let method = "ask_request"
        public var query: String
        /// What to know for the answer.
        public var context: [String]
        public var model: String
        /// How long the answer may be.
        public var maxTokens: UInt32

        public init(query: String, context: [String] = [], model: String, maxTokens: UInt32) {
            self.query = query
            self.context = context
            self.model = model
            self.maxTokens = maxTokens
        }

        enum CodingKeys: String, CodingKey {
            case query, context, model
            case maxTokens = "max_tokens"
        }
    }

    /// The answer to an `AskRequest`.
    public struct AskResponse: Message, Equatable {
        public var answer: String
        /// From 0 to 1.
        public var confidence: Float
        public var sources: [String]

        public init(answer: String, confidence: Float, sources: [String] = []) {
            self.answer = answer
            self.confidence = confidence
            self.sources = sources
        }
    }

    /// Asks for a change of code.
    public struct EditRequest: Request, Equatable {
        public typealias Response = EditResponse
        public static let method = "edit_request"
        public var filePath: String
        public var originalCode: String
        /// What is to change.
        public var instructions: String
        /// Of the code.
        public var language: String

        public init(filePath: String, originalCode: String, instructions: String, language: String) {
            self.filePath = filePath
            self.originalCode = originalCode
            self.instructions = instructions
            self.language = language
        }

        enum CodingKeys: String, CodingKey {
            case instructions, language
            case filePath = "file_path"
            case originalCode = "original_code"
        }
    }

    /// The answer to an `EditRequest`.
    public struct EditResponse: Message, Equatable {
        public var modifiedCode: String
        public var diff: String
        public var explanation: String

        public init(modifiedCode: String, diff: String, explanation: String) {
            self.modifiedCode = modifiedCode
            self.diff = diff
            self.explanation = explanation
        }

        enum CodingKeys: String, CodingKey {
            case diff, explanation
            case modifiedCode = "modified_code"
        }
    }

    /// A line of a conversation; one-way, in either direction.
    public struct ChatMessage: Event, Equatable {
        public static let name = "chat_message"
        /// Who says it: "user", "assistant" or "system".
        public var role: String
        public var content: String
        public var timestamp: UInt64

        public init(role: String, content: String, timestamp: UInt64) {
            self.role = role
            self.content = content
            self.timestamp = timestamp
        }
    }
}
