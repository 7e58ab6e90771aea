// Messages of a language server, which travel as JSON texts inside.

extension Headered {
    /// A request to a language server.
    public struct LspRequest: Request, Equatable {
        public typealias Response = LspResponse
        public static let method = "lsp_request"
        /// Of the language server's request; calls are matched by the id of their message.
        public var id: String
        public var method: String
        public var uri: String
        public var languageID: String
        public var paramsJSON: String

        public init(id: String, method: String, uri: String, languageID: String, paramsJSON: String) {
            self.id = id
            self.method = method
            self.uri = uri
            self.languageID = languageID
            self.paramsJSON = paramsJSON
        }

        enum CodingKeys: String, CodingKey {
            case id, method, uri
            case languageID = "language_id"
            case paramsJSON = "params_json"
        }
    }

    /// The answer to an `LspRequest`.
    public struct LspResponse: Message, Equatable {
        public var id: String
        public var ok: Bool
        /// Means something where `ok`.
        public var resultJSON: String
        public var error: String?
        public var errorCode: Int32?

        public init(id: String, ok: Bool, resultJSON: String, error: String? = nil, errorCode: Int32? = nil) {
            self.id = id
            self.ok = ok
            self.resultJSON = resultJSON
            self.error = error
            self.errorCode = errorCode
        }

        enum CodingKeys: String, CodingKey {
            case id, ok, error
            case resultJSON = "result_json"
            case errorCode = "error_code"
        }
    }

    /// A notification; one-way.
    public struct LspNotification: Event, Equatable {
        public static let name = "lsp_notification"
        public var method: String
        public var uri: String
        public var paramsJSON: String

        public init(method: String, uri: String, paramsJSON: String) {
            self.method = method
            self.uri = uri
            self.paramsJSON = paramsJSON
        }

        enum CodingKeys: String, CodingKey {
            case method, uri
            case paramsJSON = "params_json"
        }
    }

    /// What a language server finds in a document; one-way.
    public struct LspDiagnostics: Event, Equatable {
        public static let name = "lsp_diagnostics"
        public var uri: String
        /// Of the document.
        public var version: Int32?
        /// A JSON array.
        public var diagnosticsJSON: String

        public init(uri: String, version: Int32? = nil, diagnosticsJSON: String) {
            self.uri = uri
            self.version = version
            self.diagnosticsJSON = diagnosticsJSON
        }

        enum CodingKeys: String, CodingKey {
            case uri, version
            case diagnosticsJSON = "diagnostics_json"
        }
    }

    /// How far a language server has got; one-way.
    public struct LspProgress: Event, Equatable {
        public static let name = "lsp_progress"
        /// Of the work.
        public var token: String
        public var valueJSON: String

        public init(token: String, valueJSON: String) {
            self.token = token
            self.valueJSON = valueJSON
        }

        enum CodingKeys: String, CodingKey {
            case token
            case valueJSON = "value_json"
        }
    }
}
