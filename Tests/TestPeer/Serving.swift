// A service. Says `listening`, `log LEVEL MESSAGE` for warnings, `held N` for calls in flight, and `over` or `failed CODE SENTENCE` at the end.

import Foundation
import Ginnel
import GinnelTransport

struct Serving: Sendable {
    private let options: Options
    private let held = Guarded(0)
    private let hoard = Guarded([FileHandle]())
    private let gate = Gate()

    init(_ options: Options) { self.options = options }

    func run() async {
        var configuration = ServiceConfiguration.defaults
        configuration.engine = options["engine"].flatMap { Engine(name: $0) } ?? .reactor
        if let maximum = options.number("connections") { configuration.connections.maximum = maximum }
        if let bytes = options.number("event-bytes") { configuration.limits.eventBytes = bytes }
        if let bytes = options.number("user-bytes") { configuration.connections.bufferedBytesPerUser = bytes }
        if options["patient"] != nil {
            configuration.timeouts.write = .seconds(3600)
            configuration.timeouts.heartbeat = nil
        }
        configuration.log = Log(level: .notice) { level, message, _ in
            say(level == .notice ? message : "log \(level) \(message)")
        }
        let access: Access = options["access"] == "any" ? .anyLocalUser : .currentUser
        let service = Service(at: options.endpoint, transports: options.transports, access: access, policy: options.policy, configuration: configuration)
        addHandlers(to: service)
        var exitStatus: Int32 = 0
        await withTaskGroup { group in
            group.addTask {
                for await order in Control.orders where order == "stop" { service.beginGracefulShutdown() }
            }
            do {
                exitStatus = try await service.run(until: .terminated).exitStatus
                say("over")
            } catch let error as GinnelError {
                say("failed \(error.code) \(error)")
            } catch {
                say("failed other \(error)")
            }
            group.cancelAll()
        }
        exit(exitStatus)
    }

    private func addHandlers(to service: Service) {
        service.handle("echo") { bytes, _ in bytes.withUnsafeBytes { [UInt8]($0) } }
        service.handle("engine") { [weak service] _, _ in Array((service?.engine.name ?? "").utf8) }
        service.handle("who") { _, context in
            let peer = context.peer
            return Array("\(peer.user ?? .max) \(peer.process ?? 0)".utf8)
        }
        service.handle("hold") { [held] _, _ async throws -> [UInt8] in
            let count = held.withLock { held in
                held += 1
                return held
            }
            say("held \(count)")
            try await Task.sleep(for: .seconds(3600))
            return []
        }
        // A MiB of events to everybody who is connected.
        service.handle("shower") { [weak service] _, _ in
            for _ in 0..<16 { try service?.broadcast(Drop()) }
            return []
        }
        service.handle("connections") { [weak service] _, _ in Array("\(service?.connections.count ?? 0)".utf8) }
        // A MiB less a little, once it is told to: what it is called with is none of its business.
        service.handle("later") { [held, gate] _, _ async throws -> [UInt8] in
            let count = held.withLock { held in
                held += 1
                return held
            }
            if count % 10 == 0 { say("held \(count)") }
            for await _ in gate.stream() {}
            return [UInt8](repeating: 5, count: 1_000_000)
        }
        service.handle("now") { [gate] _, _ in
            gate.open()
            return []
        }
        // Opens files until there is no descriptor left; gives them back.
        service.handle("hoard") { [hoard] _, _ in
            var count = 0
            while let file = FileHandle(forReadingAtPath: "/dev/null") {
                hoard.withLock { $0.append(file) }
                count += 1
            }
            return Array("\(count)".utf8)
        }
        service.handle("release") { [hoard] _, _ in
            hoard.withLock { $0 = [] }
            return []
        }
    }
}

/// What many wait for, until it is opened.
final class Gate: Sendable {
    private let waiting = Guarded([AsyncStream<Void>.Continuation]())
    private let isOpen = Guarded(false)

    /// A sequence without elements that ends when the gate is open.
    func stream() -> AsyncStream<Void> {
        let (stream, continuation) = AsyncStream.makeStream(of: Void.self)
        waiting.withLock { $0.append(continuation) }
        if isOpen.withLock({ $0 }) { continuation.finish() }
        return stream
    }

    func open() {
        isOpen.withLock { $0 = true }
        for continuation in waiting.withLock({ $0 }) { continuation.finish() }
    }
}
