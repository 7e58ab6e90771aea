// Processes that this one started, so that it may know them again (`PeerPolicy.spawnedByUs`).

package import CGinnelPlatform
internal import GinnelCore

/// A child process. Its id is not reused while this object lives.
///
/// `@unchecked Sendable`: the platform's object is used behind `process`.
package final class ChildProcess: @unchecked Sendable {
    /// Children that were started here and not forgotten, and those that the program has registered (`SpawnedProcesses`).
    static let table = Guarded(Set<UInt32>())

    /// The ids of the processes that are known as children.
    package static var running: Set<UInt32> { table.withLock { $0 } }

    package let id: UInt32
    private let process: Guarded<OpaquePointer>

    /// Starts `path` with `arguments` (without the program's name), and `environment` added to ours. `inherited[i]` becomes descriptor 3 + i.
    package init(
        _ path: String, _ arguments: [String], environment: [String: String] = [:], inheriting inherited: [gn_handle] = [], output: gn_handle? = nil
    ) throws {
        var process: OpaquePointer?
        var error = gn_error()
        let outcome = CStrings.with([path] + arguments) { arguments in
            CStrings.with(environment.map { "\($0.key)=\($0.value)" }) { environment in
                gn_process_start(path, arguments, environment, inherited, inherited.count, output ?? GN_NO_HANDLE, &process, &error)
            }
        }
        guard outcome == GN_DONE, let process else {
            throw GinnelError(.init(error.code), "the program cannot be started", path: path, cause: SystemError(error))
        }
        self.process = Guarded(process)
        let id = gn_process_id(process)
        self.id = id
        Self.table.withLock { _ = $0.insert(id) }
    }

    deinit {
        let id = self.id
        Self.table.withLock { _ = $0.remove(id) }
        process.withLock { gn_process_forget($0) }
    }

    /// Asks it to end, or ends it at once.
    package func end(atOnce: Bool = false) { process.withLock { gn_process_end($0, atOnce) } }

    /// The exit status (0 to 255, or 256 + signal) once it has ended.
    package var status: Int32? {
        var status: Int32 = 0
        var error = gn_error()
        return process.withLock { gn_process_status($0, &status, &error) } == GN_DONE ? status : nil
    }
}
