// Children that the program has started by its own means, which Ginnel knows only when it is told.

import Ginnel
import Testing

@Suite(.serialized, .ownThread, .timeLimit(.minutes(5))) struct SpawnedProcessesTests {
    /// A shell's child stands for a process that Ginnel has not started itself. It tells its number, and connects when it is told to.
    private static func grandchild(for path: String) async throws -> (shell: Child, id: UInt32) {
        let script = #"sh -c 'echo $$; read go <&3; exec "$PROGRAM" call --endpoint "$ENDPOINT"'; true"#
        let shell = try Child(["-c", script], program: "/bin/sh", environment: ["PROGRAM": Child.program, "ENDPOINT": path])
        try await shell.lines.wait { !$0.isEmpty }
        return (shell, try #require(UInt32(shell.lines.all[0])))
    }

    @Test func `a child that the program has registered is served`() async throws {
        try await withRunning(policy: .spawnedByUs) { running in
            let (shell, id) = try await Self.grandchild(for: running.path)
            SpawnedProcesses.register(id)
            defer { SpawnedProcesses.unregister(id) }
            try shell.tell("go")
            try await shell.line("connected")
        }
    }

    @Test func `a child that is registered no more is refused`() async throws {
        try await withRunning(policy: .spawnedByUs) { running in
            let (shell, id) = try await Self.grandchild(for: running.path)
            SpawnedProcesses.register(id)
            SpawnedProcesses.unregister(id)
            try shell.tell("go")
            try await shell.line("refused refused peerRefused")
            try await running.log.entry("a peer was refused", "which is not known as a child of this process")
        }
    }
}
