// What the monitor does with a task. A task that it cannot carry out is answered, in the words that its agents know; a handler that throws or takes too long is answered by
// the format, with the same kind of result (`DetectionResult.failures`).

import Foundation
import Ginnel
import ProcessMonitorMessages
import ProcessMonitorSupport

struct Monitor: Sendable {
    private let limit: Int
    private let processes = ProcessTable()

    init(_ settings: MonitorSettings) { limit = settings.service.limits.announced.maximumMessage }

    func serve(on service: Service) {
        // Reading files blocks: away from the loop that the connections are on.
        service.handle(DetectionTask.self, on: .concurrent) { task, _ in try fitting(answer(task)) }
    }

    private func answer(_ task: DetectionTask) throws -> DetectionResult {
        if task.metadata == DetectionTask.negotiation { return negotiated(task) }
        switch task.taskType {
        case .enumerateProcesses, .checkProcessHash, .monitorProcessTree, .verifyExecutable:
            return processes.isAvailable ? try watched(task) : DetectionResult(task.taskID, failed: "Process monitoring not supported")
        case .monitorNetworkConnections: return DetectionResult(task.taskID, failed: "Network monitoring not supported")
        case .trackFileOperations: return DetectionResult(task.taskID, failed: "Filesystem monitoring not supported")
        case .collectPerformanceMetrics: return DetectionResult(task.taskID, failed: "Performance monitoring not supported")
        default: return DetectionResult(task.taskID, failed: "Unknown task type: \(task.taskType.rawValue)")
        }
    }

    private func watched(_ task: DetectionTask) throws -> DetectionResult {
        var result = DetectionResult(done: task.taskID)
        switch task.taskType {
        case .enumerateProcesses: result.processes = try processes.matching(task.processFilter)
        case .monitorProcessTree: result.processes = try processes.tree(below: task.processFilter)
        default:
            guard let check = task.hashCheck, !check.executablePath.isEmpty else {
                return DetectionResult(task.taskID, failed: "A task of this type needs hash_check.executable_path")
            }
            let hash = try ExecutableCheck(check, mustRun: task.taskType == .verifyExecutable).result()
            result.hashResult = hash
            // A file that cannot be hashed is a task that failed; one that is another than expected is a finding.
            if hash.hashValue.isEmpty { result = DetectionResult(task.taskID, failed: hash.errorMessage ?? "") }
        }
        return result
    }

    /// What this monitor can do, for those who ask in words that it understands; others are content with the success.
    private func negotiated(_ task: DetectionTask) -> DetectionResult {
        var result = DetectionResult(done: task.taskID)
        var capabilities = CollectionCapabilities()
        capabilities.supportedDomains = processes.isAvailable ? [.process] : []
        capabilities.advanced = AdvancedCapabilities()
        // What /proc shows is the whole machine's.
        capabilities.advanced?.systemWide = processes.isAvailable
        var response = CapabilityResponse()
        let missing = (task.capabilities?.requestedDomains ?? []).filter { !capabilities.supportedDomains.contains($0) }
        response.negotiationSuccess = missing.isEmpty
        response.capabilities = capabilities
        response.serverVersion = "1.0"
        if !missing.isEmpty { response.errorMessage = "Not supported: \(missing.map(\.name).joined(separator: ", "))" }
        result.capabilities = response
        return result
    }

    /// A result over the limit of a frame could not be sent, and its agent would only see the connection end.
    private func fitting(_ result: DetectionResult) throws -> DetectionResult {
        let size = try result.serializedBytes().count
        guard size > limit else { return result }
        return DetectionResult(result.taskID, failed: "\(result.processes.count) processes take \(size) bytes, over the limit of \(limit) (max_frame_bytes); narrow the filter")
    }
}

extension MonitoringDomain {
    fileprivate var name: String {
        switch self {
        case .process: "process"
        case .network: "network"
        case .filesystem: "filesystem"
        case .performance: "performance"
        default: "domain \(rawValue)"
        }
    }
}
