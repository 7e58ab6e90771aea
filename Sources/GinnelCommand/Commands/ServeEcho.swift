// `ginnel serve-echo`: a service to try things on. It has one method of each kind that a client may want to see, and stops as a service should: no new calls, those in
// flight finish, its socket and lock are gone.

import Foundation
import Ginnel

extension Command {
    static let serveEcho = Command(
        name: "serve-echo", summary: "run a service that echoes, counts and ticks, until Ctrl-C",
        operands: [.endpoint],
        options: [
            Option("access", value: "WHO", "which users may connect: user (only this one; the default), group:NAME, or any"),
            Option("tick", value: "TIME", "from one tick event to the next (default 1s; 0 for none)"),
            Option("connections", value: "N", "how many it takes at once (default 1024)"),
            Option("low-latency", "let the loops look for work for 50 µs before they sleep"),
            Option("cpu", value: "N", "run on this processor only (Linux)"),
            Option("verbose", short: "v", "say who comes and goes"),
        ],
        notes: [
            "Methods: echo (gives back its bytes), echo_async (the same in an async handler), count (a stream; {\"to\":N} gives {\"value\":0} to {\"value\":N-1}).",
            "Event: tick, {\"number\":N}, to all clients.",
            "Ctrl-C or SIGTERM stops it gracefully; a second one cuts off what is still in flight, and a third ends it at once.",
        ],
        examples: ["ginnel serve-echo echo", "ginnel serve-echo /tmp/echo.sock --access any"]
    ) { invocation in
        try await EchoService(invocation).run()
    }
}

/// The stream of `serve-echo`.
struct EchoCount: StreamRequest {
    struct Item: Message { var value: Int }

    static let method = "count"
    var to: Int
}

/// The event of `serve-echo`.
struct EchoTick: Event {
    static let name = "tick"
    var number: Int
}

private struct EchoService: Sendable {
    let service: Service
    let name: String
    let tick: Duration
    let placement: Placement
    let output: Output

    init(_ invocation: Invocation) throws {
        name = invocation.operands[0]
        output = invocation.output
        tick = try invocation.duration("tick", in: .zero ... .seconds(86_400), default: .seconds(1)) ?? .zero
        placement = try invocation.placement()
        let file = try invocation.configurationFile()
        var configuration = ServiceConfiguration()
        configuration.connections.perUser = configuration.connections.maximum
        configuration = file.service(configuration)
        if invocation.has("low-latency") || invocation.has("cpu") { configuration.loops = placement.loops }
        configuration.program = Version.program
        if invocation.has("connections") {
            configuration.connections.maximum = try invocation.number("connections", in: 1...1_000_000, default: 1)
            configuration.connections.perUser = configuration.connections.maximum
        }
        configuration.log = Self.log(invocation.output, isVerbose: invocation.has("verbose"), placement)
        service = Service(at: invocation.endpoint, transports: file.transports ?? [.socket], access: try invocation.access(), configuration: configuration)
        service.handle("echo") { bytes, _ in bytes.withUnsafeBytes { [UInt8]($0) } }
        service.handle("echo_async") { bytes, _ in try await Self.identity(bytes) }
        service.handle(EchoCount.self) { request, _, writer in
            for value in 0..<max(0, request.to) { try await writer.send(EchoCount.Item(value: value)) }
        }
    }

    private static func identity(_ bytes: [UInt8]) async throws -> [UInt8] { bytes }

    /// What the service logs becomes our output; where it listens is the first thing that anybody wants to know.
    private static func log(_ output: Output, isVerbose: Bool, _ placement: Placement) -> Log {
        let process = ProcessInfo.processInfo.processIdentifier
        return Log(level: isVerbose ? .info : .notice) { level, message, metadata in
            let fields = metadata.sorted { $0.key < $1.key }
            let isListening = message == "listening"
            if isListening {
                placement.afterLoops()
                output.say("listening at \(metadata["path"] ?? "?"), process \(process); Ctrl-C stops it")
            } else {
                output.say("\(level): \(message)\(fields.map { "  \($0.key): \($0.value)" }.joined())".harmless)
            }
            output.emit([
                "type": isListening ? "listening" : "log", "level": .text("\(level)"), "message": .text(message), "process": .integer(Int(process)),
                "metadata": .object(fields.map { ($0.key, .text($0.value)) }),
            ])
        }
    }

    func run() async throws -> ExitStatus {
        // A reader of our output that goes away is no reason to end, and to leave a stale socket behind.
        signal(SIGPIPE, SIG_IGN)
        try placement.beforeLoops()
        async let _ = sendTicks()
        let result: ShutdownResult
        do {
            result = try await service.run(until: .terminated)
        } catch let error as GinnelError {
            throw Trouble(serving: error, endpoint: name)
        }
        output.say("stopped")
        output.emit(["type": "stopped"])
        return ExitStatus(result)
    }

    private func sendTicks() async {
        guard tick > .zero else { return }
        var number = 0
        while (try? await Task.sleep(for: tick)) != nil {
            number += 1
            _ = try? service.broadcast(EchoTick(number: number))
        }
    }
}

extension Invocation {
    /// Which users the file system lets in.
    fileprivate func access() throws(UsageError) -> Access {
        switch options["access"] {
        case nil, "user": return .currentUser
        case "any": return .anyLocalUser
        case let text? where text.hasPrefix("group:") && text.count > 6: return .group(String(text.dropFirst(6)))
        case let text?: throw UsageError(sentence: "--access \(text.harmless): no such access", remedy: "write user, any, or group: and the name of a group")
        }
    }
}
