// Policies about which program the peer runs.
//
// They keep honest programs apart: the wrong version, the wrong tool, a stray copy. A hostile program of the same user can attach a debugger to the
// right one, or start it with its own libraries, so they are no wall between programs of one user. An interpreter's path says nothing of its script.

extension PeerPolicy {
    /// The peer's program has one of these file names and lies in one of these directories, both compared whole and exactly (on Windows without regard
    /// to the case of ASCII letters). Directories are absolute; names are as on disk, with ".exe" where files have it.
    ///
    /// Guards against programs elsewhere, whatever their name, provided that only the administrator can write to the directories. A program whose file
    /// is gone or was replaced while it runs (" (deleted)" on Linux) is refused, since its path no longer says what it is.
    public static func executables(named names: [String], in directories: [String]) -> PeerPolicy {
        let list = "\(names.joined(separator: ", ")) in \(directories.joined(separator: ", "))"
        return program("executables(\(list))") { path, shown, _ in
            guard names.contains(where: path.isNamed) else { return .refused("the peer runs \(shown), whose name is not among those allowed") }
            guard directories.contains(where: path.lies) else { return .refused("the peer runs \(shown), whose directory is not among those allowed") }
            return .accepted
        }
    }

    /// The peer's program lies in the same directory as this process's.
    ///
    /// Guards against programs that were not installed along with this one, provided that others cannot write to that directory.
    /// Refuses a program whose file is gone or was replaced, like `executables`.
    public static let sameDirectoryAsSelf = program("sameDirectoryAsSelf") { path, shown, own in
        guard let own = own.executable.flatMap(ExecutablePath.init) else { return .refused("this process's own executable is not known") }
        return path.directory == own.directory ? .accepted : .refused("the peer runs \(shown), which does not lie beside this process's executable")
    }

    /// The peer's program file has one of these SHA-256 digests (64 hexadecimal digits each, of either case; anything else matches nothing), as `sha256sum` prints them and
    /// `ContentDigest(ofFile:)` finds them.
    ///
    /// Guards against every other program and version, wherever it lies, and also when its file was removed since. The peer's whole program file is read
    /// at each connection, unless what else the policy is made of decides: `.allOf([.sameUser, .sha256(…)])` reads no stranger's program. Reading holds up the
    /// loop of the connection, milliseconds for each megabyte; a program over 256 MiB is refused unread.
    public static func sha256(_ digests: [String]) -> PeerPolicy {
        let allowed = digests.map { $0.lowercased() }
        return PeerPolicy("sha256(\(digests.count))", wants: [.digest]) { question in
            guard let digest = question.peer.digest else { return question.unknown(.digest) }
            let shown = digest.hexadecimal
            if digest.count == 32, allowed.contains(shown) { return .accepted }
            return .refused("the SHA-256 of the peer's program, \(shown), is not among those allowed")
        }
    }

    private static func program(
        _ name: String, _ judge: @escaping @Sendable (ExecutablePath, _ shown: String, _ own: PeerIdentity) -> Judgement
    ) -> PeerPolicy {
        PeerPolicy(name, wants: [.executable]) { question in
            guard let executable = question.peer.executable else { return question.unknown(.executable) }
            let shown = executable.printable
            guard let path = ExecutablePath(executable) else { return .refused("the peer runs \(shown), which is no absolute path") }
            if path.isDeleted { return .refused("the peer runs \(shown): its file is gone or was replaced since it started; start it anew") }
            return judge(path, shown, question.own)
        }
    }
}
