// On which processor a process runs, for measurements that are to mean the same twice.
//
// A process that may use one processor has one loop, and its loops do not poll, which they decide when they are made. So the process is pinned before
// its loops are made, or, when they are to poll, right after.

internal import CGinnelCommand
import Ginnel

struct Placement: Sendable {
    /// `nil` for any.
    let processor: Int?
    let isLowLatency: Bool

    var loops: LoopConfiguration {
        var loops = isLowLatency ? LoopConfiguration.lowLatency : LoopConfiguration.defaults
        if processor != nil { loops.count = 1 }
        return loops
    }

    func beforeLoops() throws { if !isLowLatency { try pin() } }

    /// `placement()` has seen that the processor may be used.
    func afterLoops() { if isLowLatency { try? pin() } }

    private func pin() throws {
        guard let processor else { return }
        guard gnc_run_on(Int32(processor)) == 0 else {
            throw Trouble(
                .failed, code: "processor", "this process may not run on processor \(processor)", remedy: "it may use \(Self.allowed.map(String.init).joined(separator: ", "))")
        }
    }

    /// Processors that this process may use; empty where the system does not say.
    static var allowed: [Int] {
        var numbers = [Int32](repeating: 0, count: 1024)
        let count = gnc_processors(&numbers, Int32(numbers.count))
        return numbers.prefix(Int(count)).map(Int.init)
    }
}

extension Invocation {
    func placement() throws(UsageError) -> Placement {
        let processor = has("cpu") ? try number("cpu", in: 0...1023, default: 0) : nil
        if let processor, !Placement.allowed.contains(processor) {
            let allowed = Placement.allowed
            throw UsageError(
                sentence: allowed.isEmpty ? "--cpu: this system does not let a process choose its processor" : "--cpu \(processor): this process may not run there",
                remedy: allowed.isEmpty ? "leave it out" : "it may use \(allowed.map(String.init).joined(separator: ", "))")
        }
        return Placement(processor: processor, isLowLatency: has("low-latency"))
    }
}
