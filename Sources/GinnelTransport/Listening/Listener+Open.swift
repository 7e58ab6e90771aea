// Opening an endpoint's socket, and the sentence when that fails.

internal import CGinnelPlatform
internal import GinnelCore

extension Listener {
    /// Takes the first place of the endpoint that exists or can be made.
    static func open(_ endpoint: Endpoint, _ options: ListenOptions) throws -> (OpaquePointer, String) {
        var missing: GinnelError?
        for place in try endpoint.places() {
            do {
                return (try open(place, options), place.path)
            } catch let error as GinnelError where error.code == .notFound {
                missing = missing ?? error
            }
        }
        throw missing ?? GinnelError(.notFound, "there is no place for the endpoint \(endpoint) on this system")
    }

    private static func open(_ place: EndpointPlace, _ options: ListenOptions) throws -> OpaquePointer {
        if place.makesParent { try makeParent(of: place.path) }
        var handle: OpaquePointer?
        var facts = gn_endpoint_facts()
        var error = gn_error()
        let group = try options.access.groupID()
        let outcome = place.path.withCString { path in
            var native = gn_listen_options(
                path: path, create_directory: place.makesDirectory, shared_directory: !place.makesDirectory,
                directory_mode: options.access.directoryMode, socket_mode: options.access.socketMode, group: group,
                backlog: Int32(clamping: options.backlog))
            return gn_listener_open(&native, &handle, &facts, &error)
        }
        guard outcome == GN_DONE, let handle else { throw failure(place.path, facts, error) }
        return handle
    }

    private static func makeParent(of path: String) throws {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false).dropLast(2)
        try OwnDirectory.prepare(parts.joined(separator: "/"))
    }

    private static func failure(_ path: String, _ facts: gn_endpoint_facts, _ error: gn_error) -> GinnelError {
        let offender = withUnsafeBytes(of: facts.offender) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        let own = PeerIdentity.own.user.map { "user \($0)" } ?? "this user"
        let sentence: String
        switch error.code {
        case GN_CODE_BUSY:
            let holder = facts.lock_holder == 0 ? "another process" : "process \(facts.lock_holder)"
            sentence =
                facts.lock_held
                ? "\(holder) serves this endpoint already; end it, or use another name"
                : "somebody who does not use our lock answers at this endpoint; end that service, or use another name"
        case GN_CODE_UNSAFE:
            sentence = "\(offender) is not safe to use for \(own): \(owners(facts, offender, path)); let its owner remove it, or mend owner and mode"
        case GN_CODE_NOT_A_SOCKET:
            sentence = "something that is no socket stands at the endpoint's path; move it away"
        case GN_CODE_NOT_FOUND:
            sentence = "the directory of the endpoint does not exist; make it, with mode 0700"
        case GN_CODE_NAME_TOO_LONG:
            sentence = "the path has \(path.utf8.count) bytes, more than this system takes; choose a shorter directory or name"
        case GN_CODE_DENIED:
            sentence = Denial(at: path).ofListening(offender)
        default:
            sentence = "the endpoint cannot be opened"
        }
        return GinnelError(.init(error.code), sentence, path: path, cause: SystemError(error))
    }

    private static func owners(_ facts: gn_endpoint_facts, _ offender: String, _ path: String) -> String {
        if offender == path { return "owner \(facts.socket_owner), mode \(EndpointReport.octal(facts.socket_mode))" }
        if offender == path + ".lock" { return "owner \(facts.lock_owner), mode \(EndpointReport.octal(facts.lock_mode))" }
        let link = facts.directory_is_link ? ", a symbolic link" : ""
        return "owner \(facts.directory_owner), mode \(EndpointReport.octal(facts.directory_mode))\(link)"
    }
}
