// The digest of a file, which is read a portion at a time, so that its size is no matter of memory.

internal import CGinnelPlatform

extension ContentDigest {
    private static let portion = 1 << 16

    /// Of a whole file, of any size, as it is while it is read; symbolic links are followed.
    ///
    /// Blocks for as long as reading takes, milliseconds for each megabyte: not for the loop of a connection. Stops when its task is cancelled.
    ///
    /// Throws `GinnelError` with the path: `notFound`, `denied`, `invalid` for what is no regular file, `busy`, `nameTooLong`, `exhausted`, `other`; and `CancellationError`.
    public init(ofFile path: String) throws {
        guard !path.utf8.contains(0) else { throw GinnelError(.invalid, "no file has a name with a zero byte in it", path: path) }
        var file = GN_NO_HANDLE
        var error = gn_error()
        guard gn_file_open(path, &file, &error) == GN_DONE else { throw Self.failure(error, path) }
        defer { gn_handle_close(file) }
        let opened = file
        self = try withUnsafeTemporaryAllocation(byteCount: Self.portion, alignment: 16) { buffer in
            var builder = Builder()
            while true {
                try Task.checkCancellation()
                var count = 0
                switch gn_file_read(opened, buffer.baseAddress, buffer.count, &count, &error) {
                case GN_DONE: builder.append(UnsafeRawBufferPointer(rebasing: buffer[..<count]).bytes)
                case GN_END: return builder.digest
                default: throw Self.failure(error, path)
                }
            }
        }
    }

    private static func failure(_ error: gn_error, _ path: String) -> GinnelError {
        let code = GinnelError.Code(error.code)
        let sentence =
            switch code {
            case .notFound: "there is no such file"
            case .denied: "this user may not read the file"
            case .invalid: "only regular files have a digest"
            default: "the file cannot be read"
            }
        return GinnelError(code, sentence, path: path, cause: SystemError(error))
    }
}
