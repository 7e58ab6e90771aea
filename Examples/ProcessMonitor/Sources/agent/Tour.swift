// What an agent wants to know of the machine, and how it hears what it cannot have. Each step says in a line what came of it.

import Foundation
import Ginnel
import ProcessMonitorMessages
import ProcessMonitorSupport

struct Tour: Sendable {
    let settings: MonitorSettings
    private let own = UInt32(ProcessInfo.processInfo.processIdentifier)

    init(_ settings: MonitorSettings) { self.settings = settings }

    func run() async throws {
        try await Client.connect(to: settings.endpoint, configuration: settings.client) { monitor in
            try await negotiate(monitor)
            let process = try await enumerate(monitor)
            try await filter(monitor, process)
            try await showTree(monitor, process)
            try await verify(monitor, process)
            try await askForMore(monitor)
            try await Crowd(settings).push()
            try Sockets(of: process.pid).show()
            try await showTelemetry()
        }
    }

    private func ask(_ monitor: Client, _ type: TaskType, _ change: (inout DetectionTask) -> Void = { _ in }) async throws -> DetectionResult {
        try await monitor.ask(type, within: settings.taskTimeout, change)
    }

    private func negotiate(_ monitor: Client) async throws {
        let result = try await ask(monitor, .enumerateProcesses) { $0.negotiate() }
        guard let response = result.capabilities, response.capabilities?.supportedDomains == [.process] else { throw Surprise("capabilities \(result)") }
        say("  agent: procmond \(response.serverVersion ?? "") watches processes; of what I asked for: \(response.errorMessage ?? "everything")")
    }

    /// All processes; returns the monitor's own.
    private func enumerate(_ monitor: Client) async throws -> ProcessRecord {
        let processes = try await ask(monitor, .enumerateProcesses).processes
        guard let agent = processes.first(where: { $0.pid == own }), let process = processes.first(where: { $0.name == "procmond" && $0.ppid == own }) else {
            throw Surprise("\(processes.count) processes, and not both of us among them")
        }
        say("  agent: \(processes.count) processes; among them I, \(agent.name), and procmond, started \(process.startTime ?? 0) by me, with \(process.memoryUsage ?? 0) bytes")
        return process
    }

    private func filter(_ monitor: Client, _ process: ProcessRecord) async throws {
        let filters: [(String, (inout ProcessFilter) -> Void)] = [
            ("name", { $0.processNames = ["procmond"] }), ("number", { $0.pids = [process.pid] }), ("pattern", { $0.executablePattern = "proc?on*" }),
        ]
        for (_, change) in filters {
            var filter = ProcessFilter()
            change(&filter)
            let found = try await ask(monitor, .enumerateProcesses) { $0.processFilter = filter }.processes
            guard found.contains(where: { $0.pid == process.pid }), found.allSatisfy({ $0.name == "procmond" }) else { throw Surprise("found \(found.map(\.name))") }
        }
        say("  agent: found again by \(filters.map(\.0).joined(separator: ", "))")
    }

    private func showTree(_ monitor: Client, _ process: ProcessRecord) async throws {
        let tree = try await ask(monitor, .monitorProcessTree) {
            $0.processFilter = ProcessFilter()
            $0.processFilter?.pids = [own]
        }.processes
        guard tree.map(\.pid) == [own, process.pid] else { throw Surprise("the tree \(tree.map(\.name))") }
        say("  agent: the tree below me: \(tree.map(\.name).joined(separator: " > "))")
    }

    private func verify(_ monitor: Client, _ process: ProcessRecord) async throws {
        let path = process.executablePath ?? ""
        let expected = try await HashCheck.hash(path)
        let right = try await ask(monitor, .checkProcessHash) { $0.hashCheck = HashCheck(path, expected) }
        let wrong = try await ask(monitor, .verifyExecutable) { $0.hashCheck = HashCheck(path, String(repeating: "0", count: 64)) }
        let none = try await ask(monitor, .verifyExecutable) { $0.hashCheck = HashCheck(path + ".none", "") }
        guard right.hashResult?.success == true, wrong.success, wrong.hashResult?.success == false, !none.success else { throw Surprise("\(right) \(wrong) \(none)") }
        say("  agent: its file hashes to \(expected), as I find too; with another hash expected: \(wrong.hashResult?.errorMessage?.prefix(13) ?? "")")
    }

    private func askForMore(_ monitor: Client) async throws {
        var words: [String] = []
        for type in [TaskType.monitorNetworkConnections, .trackFileOperations, .collectPerformanceMetrics, TaskType(rawValue: 42)] {
            let result = try await ask(monitor, type)
            if !result.success { words.append(result.errorMessage ?? "") }
        }
        say("  agent: not to be had: \(words.joined(separator: "; "))")
    }

    /// The monitor's own figures, at the endpoint for tools beside the one for agents.
    private func showTelemetry() async throws {
        guard let control = settings.endpoint.control else { throw Surprise("no endpoint for tools") }
        try await Client.connect(to: control) { tool in
            let reply = try await tool.call("ginnel.metrics", payload: [])
            let metrics = try MetricsSnapshot(decoding: reply.bytes.span.bytes)
            guard let engine = Engine(name: metrics.engine) else { throw Surprise("the engine \(metrics.engine)") }
            let refused = (metrics.reasons["refusals_total"] ?? [:]).sorted { $0.key < $1.key }.map { "\($0.value) × \($0.key)" }
            say("  agent: procmond reports transport \(engine.transport); refused: \(refused.joined(separator: ", "))")
        }
    }
}
