// A directory that is ours and closed to others.

internal import CGinnelPlatform

package enum OwnDirectory {
    /// Makes one directory with mode 0700 when it is missing, and checks it: ours, a real directory, nobody else may write. Throws `unsafe`, `denied`, `notFound`, `exhausted`.
    package static func prepare(_ path: String) throws {
        var error = gn_error()
        guard gn_directory_prepare(path, &error) == GN_DONE else {
            throw GinnelError(
                .init(error.code), "the directory \(path) must be ours and closed to others; remove it or mend its owner and mode",
                path: path, cause: SystemError(error))
        }
    }
}
