// The messages, what each is for, and the names by which programs know them (docs/formats/headered.md, "Messages").

package enum HeaderedType: UInt16, Sendable, CaseIterable {
    case completionRequest = 0x0001
    case completionResponse = 0x0002
    case streamChunk = 0x0003
    case error = 0x0004
    case heartbeat = 0x0005
    case handshake = 0x0010
    case handshakeAck = 0x0011
    case disconnect = 0x0012
    case askRequest = 0x0100
    case askResponse = 0x0101
    case editRequest = 0x0102
    case editResponse = 0x0103
    case chatMessage = 0x0104
    case toolCall = 0x0105
    case toolResult = 0x0106
    case executeTool = 0x0107
    case toolProgress = 0x0108
    case ack = 0x0109
    case lspRequest = 0x0200
    case lspResponse = 0x0201
    case lspNotification = 0x0202
    case lspDiagnostics = 0x0203
    case lspProgress = 0x0204
    case cancel = 0x0205

    /// The type of the answer; `nil` for what is no request.
    var answer: HeaderedType? {
        switch self {
        case .completionRequest: .completionResponse
        case .askRequest: .askResponse
        case .editRequest: .editResponse
        case .toolCall, .executeTool: .toolResult
        case .lspRequest: .lspResponse
        default: nil
        }
    }

    /// One-way, known to programs as an event of this name.
    var event: String? {
        switch self {
        case .chatMessage: "chat_message"
        case .toolProgress: "tool_progress"
        case .lspNotification: "lsp_notification"
        case .lspDiagnostics: "lsp_diagnostics"
        case .lspProgress: "lsp_progress"
        default: nil
        }
    }

    init?(event name: String) {
        guard let type = Self.events[name] else { return nil }
        self = type
    }

    private static let events: [String: HeaderedType] = Dictionary(
        uniqueKeysWithValues: allCases.compactMap { type in type.event.map { ($0, type) } })

    static func hexadecimal(_ number: UInt16) -> String { "0x" + hexadecimalByte(UInt8(number >> 8)) + hexadecimalByte(UInt8(truncatingIfNeeded: number)) }

    static func hexadecimalByte(_ byte: UInt8) -> String {
        let digits = String(byte, radix: 16, uppercase: true)
        return digits.count == 2 ? digits : "0" + digits
    }
}

extension HeaderedType: CustomStringConvertible {
    /// Its name in the format's page, and its number.
    package var description: String {
        let name =
            switch self {
            case .completionRequest: "CompletionRequest"
            case .completionResponse: "CompletionResponse"
            case .streamChunk: "StreamChunk"
            case .error: "Error"
            case .heartbeat: "Heartbeat"
            case .handshake: "Handshake"
            case .handshakeAck: "HandshakeAck"
            case .disconnect: "Disconnect"
            case .askRequest: "AskRequest"
            case .askResponse: "AskResponse"
            case .editRequest: "EditRequest"
            case .editResponse: "EditResponse"
            case .chatMessage: "ChatMessage"
            case .toolCall: "ToolCall"
            case .toolResult: "ToolResult"
            case .executeTool: "ExecuteTool"
            case .toolProgress: "ToolProgress"
            case .ack: "Ack"
            case .lspRequest: "LspRequest"
            case .lspResponse: "LspResponse"
            case .lspNotification: "LspNotification"
            case .lspDiagnostics: "LspDiagnostics"
            case .lspProgress: "LspProgress"
            case .cancel: "Cancel"
            }
        return "\(name) (\(Self.hexadecimal(rawValue)))"
    }
}

/// A method: a type of request, and of completions whether they are to come as a stream.
struct HeaderedMethod: Sendable, Equatable {
    let type: HeaderedType
    var streams = false

    /// As programs know it.
    var name: String {
        switch type {
        case .completionRequest: streams ? "completion_stream" : "completion_request"
        case .askRequest: "ask_request"
        case .editRequest: "edit_request"
        case .toolCall: "tool_call"
        case .executeTool: "execute_tool"
        default: "lsp_request"
        }
    }

    static func named(_ name: String) -> HeaderedMethod? { all[name] }

    private static let all: [String: HeaderedMethod] = {
        let requests = HeaderedType.allCases.filter { $0.answer != nil }.map { HeaderedMethod(type: $0) }
        let methods = requests + [HeaderedMethod(type: .completionRequest, streams: true)]
        return Dictionary(uniqueKeysWithValues: methods.map { ($0.name, $0) })
    }()
}
