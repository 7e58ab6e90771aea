// What a streamed answer consists of. The frame around each piece (stream, number, whether it is the last) is the session's.

extension Headered {
    /// One item of a streamed answer.
    ///
    /// On the wire an object with one member, named for the case: `{"Text": "…"}`.
    public enum ChunkContent: Message, Equatable {
        case text(String)
        case token(Token)
        case functionCall(FunctionCall)
        /// What went wrong, in words; the stream goes on. A stream that fails ends with a `CallError` instead.
        case error(String)

        enum CodingKeys: String, CodingKey {
            case text = "Text"
            case token = "Token"
            case functionCall = "FunctionCall"
            case error = "Error"
        }

        public init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            guard container.allKeys.count == 1, let key = container.allKeys.first else {
                throw DecodingError.dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: "not exactly one of Text, Token, FunctionCall and Error"))
            }
            self =
                switch key {
                case .text: .text(try container.decode(String.self, forKey: key))
                case .token: .token(try container.decode(Token.self, forKey: key))
                case .functionCall: .functionCall(try container.decode(FunctionCall.self, forKey: key))
                case .error: .error(try container.decode(String.self, forKey: key))
                }
        }

        public func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            switch self {
            case .text(let text): try container.encode(text, forKey: .text)
            case .token(let token): try container.encode(token, forKey: .token)
            case .functionCall(let call): try container.encode(call, forKey: .functionCall)
            case .error(let text): try container.encode(text, forKey: .error)
            }
        }
    }

    /// One token of a model's vocabulary.
    public struct Token: Codable, Sendable, Equatable {
        public var id: UInt32
        public var text: String
        /// The logarithm of its probability.
        public var logprob: Float

        public init(id: UInt32, text: String, logprob: Float) {
            self.id = id
            self.text = text
            self.logprob = logprob
        }
    }

    /// A model that wants a function called.
    public struct FunctionCall: Codable, Sendable, Equatable {
        public var name: String
        /// A JSON text.
        public var arguments: String

        public init(name: String, arguments: String) {
            self.name = name
            self.arguments = arguments
        }
    }
}
