// Both ends of a stream over shared memory in this process.

import GinnelCore
import GinnelTesting
import GinnelTransport
import Testing

/// A client's and a service's end of one stream.
func withStreams(
    _ options: SharedMemoryStreamOptions = .defaults, _ body: @Sendable @escaping (SharedMemoryStream, SharedMemoryStream) async throws -> Void
) async throws {
    try await EventLoop.run { loop in
        let directory = try ScratchDirectory()
        let endpoint = Endpoint.path(directory.file("s"))
        let listener = try await SharedMemoryListener.bind(endpoint, options: options, on: loop)
        async let accepted = listener.accept()
        let client = try await SharedMemoryStream.connect(to: endpoint, options: options, on: loop)
        let service = try await accepted
        #expect(service.peer.process == client.peer.process)
        let result = await Result { () async throws in try await body(client, service) }
        await client.close()
        await service.close()
        await listener.close()
        try result.get()
    }
}

extension SharedMemoryStreamOptions {
    /// With rings of 4 KiB.
    static var small: SharedMemoryStreamOptions {
        var options = SharedMemoryStreamOptions.defaults
        options.sharedMemory.ringBytes = 4096
        return options
    }
}
