// Who may connect to an endpoint at all, as far as files decide it. Who is let in is the peer policy's business.

internal import CGinnelPlatform

/// Which users the file system lets reach an endpoint.
public enum Access: Sendable, Hashable {
    /// This user alone: directory 0700, socket 0600. The default of `.named`.
    case currentUser
    /// The members of a group: 0750 and 0660.
    case group(String)
    /// Every user of the machine: 0755 and 0666. Who connects is still known from the kernel.
    case anyLocalUser

    var directoryMode: UInt32 {
        switch self {
        case .currentUser: 0o700
        case .group: 0o750
        case .anyLocalUser: 0o755
        }
    }

    var socketMode: UInt32 {
        switch self {
        case .currentUser: 0o600
        case .group: 0o660
        case .anyLocalUser: 0o666
        }
    }

    /// The group's id, or -1.
    func groupID() throws -> Int64 {
        guard case .group(let name) = self else { return -1 }
        var id: UInt32 = 0
        var error = gn_error()
        guard gn_group_id(name, &id, &error) == GN_DONE else {
            throw GinnelError(.invalid, "there is no group named \(name)", cause: SystemError(error))
        }
        return Int64(id)
    }
}
