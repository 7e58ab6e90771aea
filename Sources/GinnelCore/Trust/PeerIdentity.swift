// Who is at the other end of a connection, as the kernel says; never as the peer says.

/// The identity of a peer. A field is `nil` when the platform does not have it, may not read it, or was not asked for it.
public struct PeerIdentity: Sendable, Equatable {
    /// Fields that cost something to read, so that they are read only when a policy wants them.
    public enum Field: Sendable, Hashable {
        /// The path of the program; a few system calls.
        case executable
        /// SHA-256 of the program's file; reads the whole file.
        case digest
    }

    /// Effective user id when the peer connected (Linux, macOS).
    public var user: UInt32?
    /// Effective group id when the peer connected (Linux, macOS).
    public var group: UInt32?
    /// Process id when the peer connected. The process may have ended since, and the number may have been given to another.
    public var process: UInt32?
    /// Absolute path of the peer's program. On Linux it ends in " (deleted)" when the file is gone or was replaced, and is not known when the
    /// path names no file or another one for this process, as in a container. For scripts it is the interpreter's.
    public var executable: String?
    /// SHA-256 of the file that the peer runs, whatever its name, 32 bytes. Not known of programs over 256 MiB.
    public var digest: [UInt8]?
    /// Security identifier of the peer's user (Windows).
    public var sid: String?

    /// An identity of which only the given fields are known.
    public init(
        user: UInt32? = nil, group: UInt32? = nil, process: UInt32? = nil, executable: String? = nil, digest: [UInt8]? = nil, sid: String? = nil
    ) {
        self.user = user
        self.group = group
        self.process = process
        self.executable = executable
        self.digest = digest
        self.sid = sid
    }
}

extension PeerIdentity: CustomStringConvertible {
    /// What is known, for logs, on one line whatever the path contains.
    public var description: String {
        let parts = [
            user.map { "user \($0)" }, group.map { "group \($0)" }, sid.map { "user \($0.printable)" }, process.map { "process \($0)" },
            executable?.printable, digest.map { "sha256 \($0.hexadecimal)" },
        ]
        let known = parts.compactMap(\.self)
        return known.isEmpty ? "unknown peer" : known.joined(separator: ", ")
    }
}

extension String {
    /// The text with control characters spelt out, so that a file's name or a peer's sentence cannot forge lines of a log.
    package var printable: String {
        unicodeScalars.reduce(into: "") { text, scalar in
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator: text += "\\u{\(String(scalar.value, radix: 16))}"
            default: text.unicodeScalars.append(scalar)
            }
        }
    }
}

extension [UInt8] {
    var hexadecimal: String { map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() }
}
