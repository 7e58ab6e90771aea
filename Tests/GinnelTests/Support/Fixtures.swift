// A service and clients in one process, and the messages that the tests use.

import Ginnel
import GinnelTransport

struct Add: Request {
    typealias Response = Sum
    static let method = "add"
    var left: Int
    var right: Int
}

struct Sum: Message, Equatable {
    var value: Int
}

struct Count: StreamRequest {
    typealias Item = Sum
    static let method = "count"
    var to: Int
}

struct Total: UploadRequest {
    typealias Upload = Sum
    typealias Response = Sum
    static let method = "total"
}

struct Double: ExchangeRequest {
    typealias Upload = Sum
    typealias Item = Sum
    static let method = "double"
}

struct Tick: Event, Equatable {
    static let name = "tick"
    var number: Int
}

/// A name that no other test uses.
func uniqueName() -> String { "t\(try! Identity.random())".prefix(20).description }

/// Runs `service` while `body` runs, and stops it gracefully after.
func withService<Result: Sendable>(_ service: Service, _ body: () async throws -> Result) async throws -> Result {
    async let running: Void = service.run()
    do {
        let result = try await body()
        service.beginGracefulShutdown()
        try await running
        return result
    } catch {
        service.beginGracefulShutdown()
        try? await running
        throw error
    }
}

/// A service at `endpoint` with all the shapes of method.
func makeService(
    at endpoint: Endpoint, format: WireFormat = .native, transports: Set<Transport> = [.socket], access: Access = .currentUser, policy: PeerPolicy? = nil,
    configuration: ServiceConfiguration = .defaults
) -> Service {
    let service = Service(at: endpoint, format: format, transports: transports, access: access, policy: policy, configuration: configuration)
    service.handle(Add.self) { request, _ in Sum(value: request.left + request.right) }
    service.handle("echo") { bytes, _ in bytes.copied() }
    service.handle("echo_async") { bytes, _ in
        await Task.yield()
        return bytes
    }
    service.handle(Count.self) { request, _, writer in
        for number in 0..<request.to { try await writer.send(Sum(value: number)) }
    }
    service.handle(Total.self) { _, _, items in
        var sum = 0
        for try await item in items { sum += item.value }
        return Sum(value: sum)
    }
    service.handle(Double.self) { _, _, items, writer in
        for try await item in items { try await writer.send(Sum(value: 2 * item.value)) }
    }
    return service
}
