// Connecting to an endpoint. Waits only where the other side's backlog is full, or where the caller wants to wait for the service to appear.

internal import CGinnelPlatform
internal import GinnelCore

package enum Connector {
    /// One attempt at every place of the endpoint, in order.
    package static func connectOnce(to endpoint: Endpoint) throws -> any Channel {
        switch endpoint.kind {
        case .inProcess(let name): return try InProcessHub.shared.connect(name)
        case .inherited(let descriptor): return try PlatformChannel.adopting(descriptor)
        case .inheritedListener: throw GinnelError(.invalid, "\(endpoint) is a listener, not a connection")
        case .named, .system, .path: break
        }
        var telling: GinnelError?
        for place in try endpoint.places() {
            do {
                return try connect(place.path)
            } catch let error as GinnelError where error.code == .notFound {
                // A socket that nobody serves any more says more than a place where there is none.
                if telling == nil || error.sentence == gone { telling = error }
            }
        }
        throw telling ?? GinnelError(.notFound, "there is no place for the endpoint \(endpoint) on this system")
    }

    /// Connects; tries again while the endpoint is busy, until `timeout` has passed. `nil` when it is not wanted any more.
    package static func connect(to endpoint: Endpoint, timeout: Duration, while isWanted: () -> Bool = { true }) async throws -> (any Channel)? {
        let deadline = Moment.now.advanced(by: timeout).continuous
        var pause = Duration.milliseconds(1)
        while isWanted() {
            do {
                return try connectOnce(to: endpoint)
            } catch let error as GinnelError where error.code == .busy {
                guard Moment.now.advanced(by: pause).continuous < deadline else {
                    throw GinnelError(.timedOut, "the endpoint was busy for \(timeout) (connectTimeout)", path: error.path, cause: error.cause)
                }
            }
            try await System.sleep(for: pause)
            pause = min(pause * 2, .milliseconds(50))
        }
        return nil
    }

    /// Waits until somebody answers, looking every `interval`. The connection that shows it is given back.
    package static func wait(for endpoint: Endpoint, timeout: Duration, interval: Duration) async throws -> any Channel {
        let deadline = Moment.now.advanced(by: timeout).continuous
        while true {
            do {
                return try connectOnce(to: endpoint)
            } catch let error as GinnelError where error.code == .busy || error.code == .notFound {
                guard Moment.now.advanced(by: interval).continuous < deadline else {
                    throw GinnelError(.timedOut, "no service appeared at \(endpoint) within \(timeout); last: \(error.sentence)", path: error.path, cause: error.cause)
                }
            }
            try await System.sleep(for: interval)
        }
    }

    private static let gone = "the service of this endpoint is gone; start it again"

    private static func connect(_ path: String) throws -> PlatformChannel {
        var handle: OpaquePointer?
        var error = gn_error()
        if gn_channel_connect(path, &handle, &error) == GN_DONE, let handle { return PlatformChannel(owning: handle) }
        let sentence: String
        switch error.code {
        case GN_CODE_NOT_FOUND: sentence = "there is no such endpoint; is the service running?"
        case GN_CODE_REFUSED: sentence = gone
        case GN_CODE_BUSY: sentence = "the service's backlog is full"
        case GN_CODE_DENIED: sentence = Denial(at: path).ofConnecting
        case GN_CODE_NOT_A_SOCKET: sentence = "something that is no socket stands at the endpoint's path"
        case GN_CODE_NO_DESCRIPTORS: sentence = "this process has no descriptor left"
        case GN_CODE_NAME_TOO_LONG: sentence = "the path has \(path.utf8.count) bytes, more than this system takes"
        default: sentence = "the endpoint cannot be reached"
        }
        throw GinnelError(.init(error.code), sentence, path: path, cause: SystemError(error))
    }
}
