// From the platform's codes to ours.

package import CGinnelPlatform

extension GinnelError.Code {
    package init(_ code: gn_code) {
        switch code {
        case GN_CODE_NOT_FOUND, GN_CODE_REFUSED: self = .notFound
        case GN_CODE_BUSY, GN_CODE_EXISTS: self = .busy
        case GN_CODE_DENIED: self = .denied
        case GN_CODE_UNSAFE, GN_CODE_NOT_A_SOCKET: self = .unsafe
        case GN_CODE_INVALID: self = .invalid
        case GN_CODE_NAME_TOO_LONG: self = .nameTooLong
        case GN_CODE_NO_DESCRIPTORS, GN_CODE_NO_MEMORY, GN_CODE_NO_SPACE: self = .exhausted
        case GN_CODE_UNSUPPORTED: self = .unsupported
        case GN_CODE_RESET: self = .closed
        default: self = .other
        }
    }
}
