// Completions, whole or in pieces.
//
// On the wire both are one message, whose member `stream` tells them apart; here each is a type, since each has its own kind of answer.

extension Headered {
    /// Asks for a completion, to come whole.
    public struct CompletionRequest: Request, Equatable {
        public typealias Response = CompletionResponse
        public static let method = "completion_request"
        public var prompt: String
        public var model: String
        public var maxTokens: UInt32
        public var temperature: Float
        private var stream: Bool? = false

        public init(prompt: String, model: String, maxTokens: UInt32, temperature: Float) {
            self.prompt = prompt
            self.model = model
            self.maxTokens = maxTokens
            self.temperature = temperature
        }

        enum CodingKeys: String, CodingKey {
            case prompt, model, temperature, stream
            case maxTokens = "max_tokens"
        }
    }

    /// The answer to a `CompletionRequest`.
    public struct CompletionResponse: Message, Equatable {
        public var text: String
        public var model: String
        public var tokensUsed: UInt32
        public var finishReason: String

        public init(text: String, model: String, tokensUsed: UInt32, finishReason: String) {
            self.text = text
            self.model = model
            self.tokensUsed = tokensUsed
            self.finishReason = finishReason
        }

        enum CodingKeys: String, CodingKey {
            case text, model
            case tokensUsed = "tokens_used"
            case finishReason = "finish_reason"
        }
    }

    /// Asks for a completion, to come in pieces: the same message with `stream` true.
    public struct CompletionStream: StreamRequest, Equatable {
        public typealias Item = ChunkContent
        public static let method = "completion_stream"
        public var prompt: String
        public var model: String
        public var maxTokens: UInt32
        public var temperature: Float
        private var stream: Bool? = true

        public init(prompt: String, model: String, maxTokens: UInt32, temperature: Float) {
            self.prompt = prompt
            self.model = model
            self.maxTokens = maxTokens
            self.temperature = temperature
        }

        enum CodingKeys: String, CodingKey {
            case prompt, model, temperature, stream
            case maxTokens = "max_tokens"
        }
    }
}
