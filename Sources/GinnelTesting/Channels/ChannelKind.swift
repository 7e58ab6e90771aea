// The ways to get two connected channels.

internal import GinnelCore
package import GinnelTransport

package struct ChannelKind: Sendable, CustomStringConvertible {
    package let description: String
    /// Makes a connected pair; the loop is for whatever must wait or listen meanwhile.
    package let make: @Sendable (EventLoop) async throws -> (any Channel, any Channel)

    package init(_ name: String, _ make: @escaping @Sendable (EventLoop) async throws -> (any Channel, any Channel)) {
        description = name
        self.make = make
    }

    /// Two sockets that were born connected.
    package static let socketPair = ChannelKind("socket pair") { _ in try PlatformChannel.pair() }

    /// Within this process.
    package static let inProcess = ChannelKind("in process") { _ in InProcessChannel.pair() }

    /// Through shared memory, with rings of this many bytes.
    package static func sharedMemory(_ capacity: Int) -> ChannelKind {
        ChannelKind("shared memory, \(capacity) bytes") { _ in
            guard let geometry = RingGeometry(capacity: capacity) else { throw ConformanceFailure("\(capacity) is no capacity of a ring") }
            return try SharedMemoryChannel.pair(geometry)
        }
    }

    /// A client that connects to a service's endpoint, and what the service's listener accepts.
    package static func connected(_ name: String, to endpoint: @escaping @Sendable () -> Endpoint) -> ChannelKind {
        ChannelKind(name) { loop in
            let endpoint = endpoint()
            let accepted = Handover<any Channel>()
            let listener = try Listener(
                endpoint, ListenOptions(), loop: loop, refusal: [], accept: { accepted.give($0) }, pace: { _ in nil }, trouble: { accepted.fail($0) })
            try await loop.run { try listener.start() }
            let result = await Result { () async throws in
                let client = try Connector.connectOnce(to: endpoint)
                return (client, try await accepted.value)
            }
            try await loop.run { listener.close() }
            return try result.get()
        }
    }
}
