// A service. Says `listening`, `log LEVEL MESSAGE` for warnings, `held N` for calls in flight, and `over` or `failed CODE SENTENCE` at the end.

import Foundation
import Ginnel
import GinnelTransport

struct Serving: Sendable {
    private let options: Options
    private let held = Guarded(0)
    private let hoard = Guarded([FileHandle]())

    init(_ options: Options) { self.options = options }

    func run() async {
        var configuration = ServiceConfiguration.defaults
        configuration.engine = options["engine"].flatMap { Engine(name: $0) }
        if let maximum = options.number("connections") { configuration.connections.maximum = maximum }
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
