// What stands at a place where a service may listen, seen without changing anything. What is wrong with it, in words, is in EndpointDiagnosis.

internal import CGinnelPlatform
internal import GinnelCore

/// What was seen at an endpoint's path.
public struct EndpointReport: Sendable {
    /// Something at a path, and whose it is.
    public struct Entry: Sendable, Equatable {
        public let owner: UInt32
        /// Permission bits, 07777.
        public let mode: UInt32
        public let isLink: Bool
    }

    /// One thing that was found, and how to mend it.
    public struct Finding: Sendable, Equatable {
        public enum Kind: Sendable, Equatable {
            /// Something is wrong.
            case problem
            /// Nobody listens here. Wrong only when a service should.
            case nobody
            /// Worth knowing.
            case note
        }

        public let kind: Kind
        public let what: String
        /// Empty where there is nothing to be done.
        public let remedy: String

        package init(_ kind: Kind, _ what: String, remedy: String = "") {
            self.kind = kind
            self.what = what
            self.remedy = remedy
        }
    }

    public let path: String
    /// `nil` when there is none, or when this user may not see it.
    public let directory: Entry?
    public let socket: Entry?
    public let lock: Entry?
    /// A live service holds the endpoint's lock.
    public let lockHeld: Bool
    /// Process id of the lock's holder, as written in the lock file; 0 when unknown.
    public let lockHolder: UInt32
    /// Somebody accepts connections.
    public let answers: Bool
    /// Empty when all is well.
    public let findings: [Finding]

    /// Looks at `path`, where a service of this user should be, without changing anything; connects and closes at once to see whether somebody answers.
    public init(inspecting path: String) { self.init(inspecting: path, owner: PeerIdentity.own.user) }

    /// The same for a service of the user `owner`; `nil` for anybody's.
    public init(inspecting path: String, owner: UInt32?) {
        self.init(inspecting: EndpointPlace(path: path, makesDirectory: false, makesParent: false), owner: owner)
    }

    /// The same for a place of an endpoint, of which more is known.
    package init(inspecting place: EndpointPlace, owner: UInt32?) {
        var facts = gn_endpoint_facts()
        gn_endpoint_inspect(place.path, &facts)
        path = place.path
        directory = facts.directory_exists ? Entry(owner: facts.directory_owner, mode: facts.directory_mode, isLink: facts.directory_is_link) : nil
        socket = facts.socket_exists ? Entry(owner: facts.socket_owner, mode: facts.socket_mode, isLink: facts.socket_is_link) : nil
        lock = facts.lock_exists ? Entry(owner: facts.lock_owner, mode: facts.lock_mode, isLink: false) : nil
        lockHeld = facts.lock_held
        lockHolder = facts.lock_holder
        answers = facts.answers
        findings = EndpointDiagnosis(place: place, owner: owner, facts: facts).findings
    }

    package static func octal(_ mode: UInt32) -> String { "0" + String(mode, radix: 8) }
}
