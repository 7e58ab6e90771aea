// Users of this system, by name.

import Foundation

public enum Account {
    /// The name of a user, or the number where it has none.
    public static func name(_ user: UInt32) -> String { getpwuid(user).map { String(cString: $0.pointee.pw_name) } ?? "\(user)" }

    public static var own: String { name(getuid()) }
}
