// Users of this system, by name, and their sessions.

import Foundation

public enum Account {
    /// The name of a user, or the number where it has none.
    public static func name(_ user: UInt32) -> String { getpwuid(user).map { String(cString: $0.pointee.pw_name) } ?? "\(user)" }

    public static var own: String { name(getuid()) }

    /// The login session, or the session of processes where there is none.
    public static var session: String { ProcessInfo.processInfo.environment["XDG_SESSION_ID"] ?? "\(getsid(0))" }
}
