// The second process: echoes calls, counts events.

import Ginnel
import Synchronization

enum Server {
    static func run(_ options: Options, path: String) async throws {
        if !options.pinsLate { try Processor.pin(to: 0) }
        var configuration = ServiceConfiguration()
        configuration.engine = options.engine
        configuration.loops.count = 1
        configuration.loops.polling = options.polling
        let transports: Set<Transport> = options.isThroughMemory ? [.socket, .sharedMemory] : [.socket]
        let service = Service(at: .path(path), format: options.dialect.format, transports: transports, configuration: configuration)
        service.handle(options.dialect.method) { [dialect = options.dialect] bytes, _ in dialect.answer(bytes.copied()) }
        service.handle("async") { bytes, _ in try await identity(bytes) }
        let counter = Counter()
        service.handle(event: "one-way") { _, _ in counter.add() }
        service.handle("handled") { _, _ in withUnsafeBytes(of: counter.value) { [UInt8]($0) } }
        service.handle("pin") { _, _ in
            try Processor.pinThreads(to: 0)
            return []
        }
        try await service.run(until: .terminated)
    }

    private static func identity(_ bytes: [UInt8]) async throws -> [UInt8] { bytes }

    final class Counter: Sendable {
        private let count = Atomic<Int>(0)
        func add() { count.add(1, ordering: .relaxed) }
        var value: Int { count.load(ordering: .relaxed) }
    }
}

extension RawSpan {
    func copied() -> [UInt8] { withUnsafeBytes { [UInt8]($0) } }
}
