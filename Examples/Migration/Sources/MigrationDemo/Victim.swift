// The agent that is killed in the middle: watches what it says, kills it once, and notes how far it was.

import Foundation
import Ginnel
import Synchronization

final class Victim: Sendable {
    private struct State {
        var process: UInt32?
        var percent: Int?
        /// Files that were complete when it was killed.
        var complete = 0
        /// What it said at its end.
        var result: String?
    }

    private let state = Mutex(State())
    private let name: String
    private let manifest: URL

    init(_ name: String, manifest: URL) {
        self.name = name
        self.manifest = manifest
    }

    var percent: Int? { state.withLock { $0.percent } }
    var complete: Int { state.withLock { $0.complete } }
    var result: String? { state.withLock { $0.result } }

    /// Follows its process from one life to the next.
    func follow(_ sidecar: Sidecar) async {
        for await current in sidecar.states { if case .ready(let process) = current { state.withLock { $0.process = process } } }
    }

    /// A line that it has said.
    func said(_ line: String) {
        guard line.hasPrefix("\(name): ") else { return }
        let words = line.dropFirst(name.count + 2).split(separator: " ")
        if line.contains(" files copied, ") { state.withLock { $0.result = words.joined(separator: " ") } }
        guard words.count > 1, words[1].hasPrefix("percent"), let percent = Int(words[0]), percent >= 40 else { return }
        let process = state.withLock { state -> UInt32? in
            guard state.percent == nil, let process = state.process else { return nil }
            state.percent = percent
            return process
        }
        guard let process else { return }
        kill(pid_t(process), SIGKILL)
        let lines = (try? String(contentsOf: manifest, encoding: .utf8))?.split(separator: "\n").count { $0.contains("sha256") } ?? 0
        state.withLock { $0.complete = lines }
    }
}
