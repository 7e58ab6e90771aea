// From an endpoint to the paths at which its service may be.

internal import CGinnelPlatform

enum InheritedListeners {
    static var descriptors: [gn_handle] {
        var first = GN_NO_HANDLE
        let count = gn_inherited_listeners(&first)
        return (0..<count).map { first + $0 }
    }
}

/// One place where a service may listen.
package struct EndpointPlace: Sendable, Hashable {
    package let path: String
    /// The socket's directory is ours to make.
    let makesDirectory: Bool
    /// So is that directory's parent.
    let makesParent: Bool
}

extension Endpoint {
    static let nameLimit = 64

    /// The places of a named endpoint, best first; a service takes the first that it can, a client probes them in this order.
    package func places() throws -> [EndpointPlace] {
        switch kind {
        case .named(let name): try Self.places(of: name, GN_ENDPOINT_USER)
        case .system(let name): try Self.places(of: name, GN_ENDPOINT_SYSTEM)
        case .path(let path): [EndpointPlace(path: try Self.checked(path: path), makesDirectory: false, makesParent: false)]
        case .inherited, .inheritedListener, .inProcess: []
        }
    }

    private static func places(of name: String, _ kind: gn_endpoint_kind) throws -> [EndpointPlace] {
        let allowed = name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
            case UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"): true
            default: false
            }
        }
        guard allowed, (1...nameLimit).contains(name.utf8.count), !name.hasPrefix(".") else {
            throw GinnelError(.invalid, "\"\(name)\" is no endpoint name: 1 to \(nameLimit) letters, digits, '.', '_' and '-', and no '.' in front")
        }
        var places: [EndpointPlace] = []
        var makesParent = false
        while let path = try path(of: name, kind, index: places.count, &makesParent) {
            places.append(EndpointPlace(path: path, makesDirectory: true, makesParent: makesParent))
        }
        return places
    }

    private static func path(of name: String, _ kind: gn_endpoint_kind, index: Int, _ makesParent: inout Bool) throws -> String? {
        var error = gn_error()
        return try withUnsafeTemporaryAllocation(of: CChar.self, capacity: 4096) { buffer in
            if gn_endpoint_path(kind, name, index, buffer.baseAddress, buffer.count, &makesParent, &error) == GN_DONE {
                return String(cString: buffer.baseAddress!)
            }
            guard error.code == GN_CODE_NOT_FOUND else {
                throw GinnelError(.init(error.code), "no path for the endpoint \(name)", cause: SystemError(error))
            }
            return nil
        }
    }

    private static func checked(path: String) throws -> String {
        guard path.hasPrefix("/") || path.hasPrefix("\\\\"), !path.utf8.contains(0) else {
            throw GinnelError(.invalid, "an endpoint's path begins with a slash and holds no NUL", path: path)
        }
        var longerWorks = false
        let limit = gn_path_limit(&longerWorks)
        guard longerWorks || path.utf8.count <= limit else {
            throw GinnelError(.nameTooLong, "\(path.utf8.count) bytes, over this system's limit of \(limit) for a socket's path; choose a shorter directory", path: path)
        }
        return path
    }
}
