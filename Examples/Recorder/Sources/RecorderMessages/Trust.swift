// Which programs the two sides take for the recorder's. Each asks it of the other before it reads or sends a byte: the service of whoever connects, the client of whoever holds the socket, since
// anybody could have taken it first.
//
// The peer must run as the same user, be one of the programs by its file's name, and lie in one of the directories where they are installed, beside this very program, or in a directory of
// builds. The last is for developers and counts only where this program lies in one too; it looks at whole parts of the path, never at text somewhere in it.

public import Foundation
public import Ginnel

public struct TrustedPrograms: Sendable {
    /// File names, without a directory. On Windows they may end in ".exe", and case does not count.
    public var names: Set<String> = ["recorder", "recorder-service", "omnirec", "omnirec-picker", "omnirec-service"]
    public var directories = [
        "/usr/bin", "/usr/local/bin", "/opt/omnirec/bin", "/Applications/OmniRec.app/Contents/MacOS", "/opt/homebrew/bin",
        #"C:\Program Files\OmniRec"#, #"C:\Program Files (x86)\OmniRec"#,
    ]
    /// Whether builds are trusted. Default: when this program is one.
    public var builds: Bool

    /// Further programs, by their whole paths. Default none.
    public var programs: [String] = []

    public init(ownExecutable: String? = Bundle.main.executablePath) { builds = ownExecutable.map(Self.isBuild) ?? false }

    public var policy: PeerPolicy {
        let named = PeerPolicy.custom("trusted name", wants: [.executable]) { [names] peer in
            guard let path = peer.executable, names.contains(Self.name(of: path)) else { return .refused("the peer's program is none of the recorder's") }
            return .accepted
        }
        let built = PeerPolicy.custom("build", wants: [.executable]) { peer in
            guard let path = peer.executable, Self.isBuild(path) else { return .refused("the peer's program lies in no directory of builds") }
            return .accepted
        }
        let installed = directories.isEmpty ? [] : [PeerPolicy.anyOf(names.map { .executables(named: [$0, $0 + ".exe"], in: directories) })]
        let ours = PeerPolicy.allOf([named, .anyOf(installed + [.sameDirectoryAsSelf] + (builds ? [built] : []))])
        let others = programs.map { path in
            PeerPolicy.executables(named: [(path as NSString).lastPathComponent], in: [(path as NSString).deletingLastPathComponent])
        }
        return .allOf([.sameUser, .anyOf([ours] + others)])
    }

    /// The last part of a path; of a Windows path in lower case and without ".exe".
    static func name(of path: String) -> String {
        guard !path.hasPrefix("/") else { return path.split(separator: "/").last.map(String.init) ?? "" }
        let name = path.split(whereSeparator: { $0 == "\\" || $0 == "/" }).last.map { $0.lowercased() } ?? ""
        return name.hasSuffix(".exe") ? String(name.dropLast(4)) : name
    }

    /// `…/.build/…/debug/NAME`, `…/target/…/release/NAME`, or `…/src-picker/…/build/…/NAME`.
    static func isBuild(_ path: String) -> Bool {
        let directories = path.split(whereSeparator: { $0 == "/" || $0 == "\\" }).dropLast().map(String.init)
        func contains(_ outer: String, around inner: Set<String>) -> Bool {
            directories.firstIndex(of: outer).map { directories[$0...].dropFirst().contains(where: inner.contains) } ?? false
        }
        let kinds: Set = ["debug", "release"]
        return contains(".build", around: kinds) || contains("target", around: kinds) || contains("src-picker", around: ["build"])
    }
}
