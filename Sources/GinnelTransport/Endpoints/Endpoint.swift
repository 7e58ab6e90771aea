// Where a service listens.

package import GinnelCore

/// The address of a local service.
public struct Endpoint: Sendable, Hashable {
    enum Kind: Sendable, Hashable {
        case named(String)
        case system(String)
        case path(String)
        case inherited(Int)
        case inheritedListener(Int)
        case inProcess(String)
    }

    let kind: Kind

    /// This user's service of that name: `$XDG_RUNTIME_DIR/<name>/service.sock` on Linux (else `/run/user/<uid>`, else a private directory under the temporary one),
    /// `$TMPDIR/<name>/service.sock` on macOS, a pipe named after the user on Windows. 1 to 64 letters, digits, `.`, `_`, `-`.
    public static func named(_ name: String) -> Endpoint { Endpoint(kind: .named(name)) }

    /// One service of that name for all users of the machine: `/run/<name>/service.sock`.
    public static func system(_ name: String) -> Endpoint { Endpoint(kind: .system(name)) }

    /// The socket at this absolute path. Its directory must exist, and be ours and closed to others, or root's and sticky, as `/tmp` is.
    public static func path(_ path: String) -> Endpoint { Endpoint(kind: .path(path)) }

    /// The named pipe of this full name. On Windows only.
    public static func pipe(_ name: String) -> Endpoint { Endpoint(kind: .path(name)) }

    /// A connected descriptor that this process inherited. For clients, and for services with this one connection. Owned by whoever uses the endpoint first.
    public static func inherited(_ descriptor: Int) -> Endpoint { Endpoint(kind: .inherited(descriptor)) }

    /// A listening descriptor that this process inherited, from a service manager for example. For services.
    public static func inheritedListener(_ descriptor: Int) -> Endpoint { Endpoint(kind: .inheritedListener(descriptor)) }

    /// A service in this very process, for tests and for programs that are one process today.
    public static func inProcess(_ name: String) -> Endpoint { Endpoint(kind: .inProcess(name)) }

    /// Reads what people type: a path that begins with `/`, `system:NAME`, or a name.
    public init(_ text: String) {
        if text.hasPrefix("/") || text.hasPrefix("\\\\") {
            self = .path(text)
        } else if text.hasPrefix("system:") {
            self = .system(String(text.dropFirst(7)))
        } else {
            self = .named(text)
        }
    }

    init(kind: Kind) { self.kind = kind }

    /// The service's name in the handshake; empty where the endpoint has none.
    package var serviceName: String {
        switch kind {
        case .named(let name), .system(let name), .inProcess(let name): name
        case .path, .inherited, .inheritedListener: ""
        }
    }

    /// Where a service that listens here, and speaks another format than native, is asked by tools: the same name or path with `.control` behind it. `nil` where there can be none.
    public var control: Endpoint? {
        switch kind {
        case .named(let name): name.utf8.count + Self.controlSuffix.utf8.count <= Self.nameLimit ? .named(name + Self.controlSuffix) : nil
        case .system(let name): name.utf8.count + Self.controlSuffix.utf8.count <= Self.nameLimit ? .system(name + Self.controlSuffix) : nil
        case .path(let path): .path(path + Self.controlSuffix)
        case .inherited, .inheritedListener, .inProcess: nil
        }
    }

    private static let controlSuffix = ".control"

    /// Whether it is a descriptor that this process has already, and that can be used once.
    package var isInherited: Bool {
        switch kind {
        case .inherited, .inheritedListener: true
        case .named, .system, .path, .inProcess: false
        }
    }

    /// Whether its connections are queues within this process.
    package var isInProcess: Bool { if case .inProcess = kind { true } else { false } }

    /// Whether its clients expect a service of the system rather than of their own user.
    package var isSystem: Bool { if case .system = kind { true } else { false } }

    /// Which services are talked to at this endpoint when the client names no policy.
    package var defaultPolicy: PeerPolicy { isSystem ? .systemService : .sameUser }
}

extension Endpoint {
    /// The connected channel that this endpoint is, if it is one.
    package func inheritedChannel() throws -> (any Channel)? {
        guard case .inherited(let descriptor) = kind else { return nil }
        return try PlatformChannel.adopting(descriptor)
    }
}

extension Endpoint: CustomStringConvertible {
    public var description: String {
        switch kind {
        case .named(let name): name
        case .system(let name): "system:\(name)"
        case .path(let path): path
        case .inherited(let descriptor): "inherited descriptor \(descriptor)"
        case .inheritedListener(let descriptor): "inherited listener \(descriptor)"
        case .inProcess(let name): "in process: \(name)"
        }
    }
}

extension Endpoint {
    /// Listening descriptors that a service manager passed to this process by the `LISTEN_FDS` convention of systemd, in its order; empty when there are none.
    public static var inheritedListeners: [Endpoint] { InheritedListeners.descriptors.map { .inheritedListener($0) } }
}
