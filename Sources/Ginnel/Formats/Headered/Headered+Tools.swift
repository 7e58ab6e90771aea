// Tools that one side lets the other use.

extension Headered {
    /// Asks for the use of a tool.
    public struct ToolCall: Request, Equatable {
        public typealias Response = ToolResult
        public static let method = "tool_call"
        public var toolName: String
        /// A JSON text.
        public var arguments: String
        /// Of the use, for the `ToolResult`.
        public var id: String

        public init(toolName: String, arguments: String, id: String) {
            self.toolName = toolName
            self.arguments = arguments
            self.id = id
        }

        enum CodingKeys: String, CodingKey {
            case arguments, id
            case toolName = "tool_name"
        }
    }

    /// Asks for the use of a tool in a workspace.
    public struct ExecuteTool: Request, Equatable {
        public typealias Response = ToolResult
        public static let method = "execute_tool"
        public var toolName: String
        /// A JSON text.
        public var params: String
        public var workspacePath: String
        public var userID: String
        /// Of the use, for `ToolProgress` and `ToolResult`.
        public var correlationID: String
        /// Whether a person has to agree first.
        public var requireApproval: Bool

        public init(toolName: String, params: String, workspacePath: String, userID: String, correlationID: String, requireApproval: Bool) {
            self.toolName = toolName
            self.params = params
            self.workspacePath = workspacePath
            self.userID = userID
            self.correlationID = correlationID
            self.requireApproval = requireApproval
        }

        enum CodingKeys: String, CodingKey {
            case params
            case toolName = "tool_name"
            case workspacePath = "workspace_path"
            case userID = "user_id"
            case correlationID = "correlation_id"
            case requireApproval = "require_approval"
        }
    }

    /// The answer to a `ToolCall` or an `ExecuteTool`.
    public struct ToolResult: Message, Equatable {
        public var correlationID: String
        public var success: Bool
        public var result: String?
        public var error: String?

        public init(correlationID: String, success: Bool, result: String? = nil, error: String? = nil) {
            self.correlationID = correlationID
            self.success = success
            self.result = result
            self.error = error
        }

        enum CodingKeys: String, CodingKey {
            case success, result, error
            case correlationID = "correlation_id"
        }
    }

    /// How far a tool has got; one-way.
    public struct ToolProgress: Event, Equatable {
        public static let name = "tool_progress"
        public var correlationID: String
        public var message: String
        /// From 0 to 100.
        public var percentage: UInt8?

        public init(correlationID: String, message: String, percentage: UInt8? = nil) {
            self.correlationID = correlationID
            self.message = message
            self.percentage = percentage
        }

        enum CodingKeys: String, CodingKey {
            case message, percentage
            case correlationID = "correlation_id"
        }
    }
}
