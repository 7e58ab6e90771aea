// The values of options, checked: what is out of range is said with the range.

import Ginnel

extension Invocation {
    func number(_ option: String, in range: ClosedRange<Int>, default standard: Int) throws(UsageError) -> Int {
        guard let text = options[option] else { return standard }
        guard let number = Int(text), range.contains(number) else {
            throw UsageError(sentence: "--\(option) \(text.harmless): not a whole number from \(range.lowerBound) to \(range.upperBound)", remedy: "usage: \(command.usage)")
        }
        return number
    }

    /// A number with a unit (ns, us, ms, s, m), or of seconds.
    func duration(_ option: String, in range: ClosedRange<Duration>, default standard: Duration?) throws(UsageError) -> Duration? {
        guard let text = options[option] else { return standard }
        guard let duration = Duration(typed: text), range.contains(duration) else {
            throw UsageError(
                sentence: "--\(option) \(text.harmless): not a time from \(Figure.time(range.lowerBound.nanoseconds)) to \(Figure.time(range.upperBound.nanoseconds))",
                remedy: "write a number of seconds, or one with a unit: 250ms, 2s, 1.5m")
        }
        return duration
    }
}

extension Invocation {
    static let key = Option("key", value: "FILE", "the key of a service that encrypts, 64 hexadecimal digits in a file of yours (default: that of the configuration, if any)")

    static func encryption(_ path: String) throws(UsageError) -> Encryption {
        do {
            return try Encryption.keyFile(path)
        } catch {
            throw UsageError(sentence: "--key: \(error)".harmless, remedy: "the file is yours, has mode 0600, and holds the pre-shared key of the service")
        }
    }

    static let expectation = Option("expect", value: "WHO", "whom the service must belong to: me, root, any, or a user's id (default: me; root for system:NAME)")

    /// Which service we talk to.
    func expectation(for endpoint: Endpoint) throws(UsageError) -> Expectation {
        guard let text = options["expect"] else { return endpoint.isSystem ? .root : .me }
        guard let expectation = Expectation(text) else {
            throw UsageError(sentence: "--expect \(text.harmless): nobody of that name", remedy: "write me, root, any, or the number of a user")
        }
        return expectation
    }
}

/// Whom a service is expected to belong to.
enum Expectation {
    case me
    case root
    case anybody
    case user(UInt32)

    init?(_ text: String) {
        switch text {
        case "me": self = .me
        case "root": self = .root
        case "any": self = .anybody
        default:
            guard let id = UInt32(text) else { return nil }
            self = .user(id)
        }
    }

    var policy: PeerPolicy {
        switch self {
        case .me: .sameUser
        case .root: .systemService
        case .anybody: .anyLocalUser
        case .user(let id): .users([id])
        }
    }

    /// The user's id; `nil` when it may be anybody's.
    var owner: UInt32? {
        switch self {
        case .me: PeerIdentity.own.user
        case .root: 0
        case .anybody: nil
        case .user(let id): id
        }
    }
}
