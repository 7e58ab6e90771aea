// Segments that have a name, and what to say when one cannot be had.

internal import CGinnelPlatform
internal import GinnelCore

extension Segment {
    /// A new segment of at least `bytes`, all zero.
    static func createNamed(_ name: SharedMemoryBuffer.Name, bytes: UInt64) throws -> Segment {
        let systemName = try name.systemName
        var error = gn_error()
        if let segment = attempt(&error, { gn_segment_create_named(systemName, max(bytes, GN_SEGMENT_MINIMUM), $0, $1) }) { return segment }
        let sentence =
            switch error.code {
            case GN_CODE_EXISTS: "there is a shared memory ring \(name) already, which stays as it is; open it, or end it with SharedMemoryBuffer.remove(name:)"
            case GN_CODE_INVALID:
                "this system takes no ring of the name \(name): names of letters, digits, dashes and underscores are taken everywhere (SharedMemoryBuffer.Name.sanitised)"
            default: "the shared memory ring \(name) of \(bytes) bytes cannot be created"
            }
        throw GinnelError(.init(error.code), sentence, cause: SystemError(error))
    }

    package static func openNamed(_ name: SharedMemoryBuffer.Name) throws -> Segment {
        let systemName = try name.systemName
        var error = gn_error()
        if let segment = attempt(&error, { gn_segment_open_named(systemName, $0, $1) }) { return segment }
        let cause = SystemError(error)
        switch error.code {
        case GN_CODE_NOT_FOUND: throw GinnelError(.notFound, "there is no shared memory ring \(name); has it been created, under the same kind of name?", cause: cause)
        case GN_CODE_UNSAFE: throw GinnelError(.unsafe, "the shared memory ring \(name) belongs to another user or is open to others", cause: cause)
        // The name was looked at before. A segment gets its size last, so this may be one that is being made.
        case GN_CODE_INVALID:
            let remedy = "try again, or end it with SharedMemoryBuffer.remove(name:) when its maker is gone"
            let sentence = "the shared memory ring \(name) is not initialised yet, or none: its segment has less than \(GN_SEGMENT_MINIMUM) bytes; \(remedy)"
            throw GinnelError(.damaged, sentence, cause: cause)
        default: throw GinnelError(.init(error.code), "the shared memory ring \(name) cannot be opened", cause: cause)
        }
    }

    static func removeNamed(_ name: SharedMemoryBuffer.Name) throws {
        let systemName = try name.systemName
        var error = gn_error()
        guard gn_segment_remove(systemName, &error) == GN_DONE else {
            let sentence = error.code == GN_CODE_NOT_FOUND ? "there is no shared memory ring \(name)" : "the shared memory ring \(name) cannot be removed"
            throw GinnelError(.init(error.code), sentence, cause: SystemError(error))
        }
    }
}

extension GinnelError {
    init(_ fault: RingHeaderFault, _ name: SharedMemoryBuffer.Name, segment bytes: UInt64) {
        switch fault {
        case .notInitialised:
            let remedy = "try again, or end it with SharedMemoryBuffer.remove(name:) when its maker is gone"
            self.init(.damaged, "the shared memory ring \(name) is not initialised yet; \(remedy)")
        case .otherMagic(let magic):
            let text = "0x" + String(magic, radix: 16)
            self.init(.damaged, "\(name) is shared memory but no ring of this layout: it begins with the number \(text)")
        case .otherVersion(let version, let due):
            self.init(.unsupported, "the shared memory ring \(name) has version \(version) of its layout, where this side speaks \(due)")
        case .otherCapacity(let capacity):
            self.init(.damaged, "the shared memory ring \(name) says that it holds \(capacity) bytes, which no ring in a segment of \(bytes) does")
        }
    }
}
