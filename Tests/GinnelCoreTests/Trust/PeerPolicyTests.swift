import GinnelCore
import Testing

@Suite struct PeerPolicyTests {
    private static let own = PeerIdentity(user: 1000, group: 1000, process: 10, executable: "/opt/app/service")
    private static let digest = [UInt8](repeating: 0xAB, count: 32)
    private static let hexadecimal = String(repeating: "ab", count: 32)

    private static let noDigest = "the peer's program's SHA-256 is not known: the program cannot be read, has ended, or is larger than 256 MiB"

    private func refusal(_ policy: PeerPolicy, _ peer: PeerIdentity, own: PeerIdentity = own, children: Set<UInt32> = []) -> String? {
        switch policy.verdict(on: peer, own: own, children: children) {
        case .accepted: nil
        case .refused(let reason): reason
        }
    }

    // MARK: Users

    @Test func `the same user is accepted and any other refused`() {
        #expect(refusal(.sameUser, PeerIdentity(user: 1000)) == nil)
        #expect(refusal(.sameUser, PeerIdentity(user: 1001)) == "the peer is user 1001, this process user 1000")
        #expect(refusal(.sameUser, PeerIdentity()) == "the peer's user is not known")
        #expect(refusal(.sameUser, PeerIdentity(user: 1000), own: PeerIdentity()) == "this process's own user is not known")
        #expect(refusal(.sameUser, PeerIdentity(group: 1000, process: 10)) == "the peer's user is not known")
    }

    @Test func `root is the same user as root only`() {
        #expect(refusal(.sameUser, PeerIdentity(user: 0)) != nil)
        #expect(refusal(.sameUser, PeerIdentity(user: 1000), own: PeerIdentity(user: 0)) != nil)
        #expect(refusal(.sameUser, PeerIdentity(user: 0), own: PeerIdentity(user: 0)) == nil)
    }

    @Test func `where users have security identifiers, those are compared`() {
        let own = PeerIdentity(sid: "S-1-5-21-1-2-3-1001")
        #expect(refusal(.sameUser, PeerIdentity(sid: "S-1-5-21-1-2-3-1001"), own: own) == nil)
        #expect(refusal(.sameUser, PeerIdentity(sid: "S-1-5-21-1-2-3-100"), own: own) != nil)
        #expect(refusal(.sameUser, PeerIdentity(sid: "S-1-5-18"), own: own) != nil)
        #expect(refusal(.sameUser, PeerIdentity(user: 1000), own: own) == "the peer's user is not known")
        #expect(refusal(.sameUser, PeerIdentity(sid: "S-1-5-18"), own: Self.own) == "the peer's user is not known")
    }

    @Test func `a system service is root or SYSTEM`() {
        #expect(refusal(.systemService, PeerIdentity(user: 0)) == nil)
        #expect(refusal(.systemService, PeerIdentity(sid: "S-1-5-18")) == nil)
        #expect(refusal(.systemService, PeerIdentity(user: 1000)) == "the peer is user 1000, not root")
        #expect(refusal(.systemService, PeerIdentity(sid: "S-1-5-19")) == "the peer is user S-1-5-19, not SYSTEM (S-1-5-18)")
        #expect(refusal(.systemService, PeerIdentity()) == "the peer's user is not known")
    }

    @Test func `only the users named are accepted`() {
        let policy = PeerPolicy.users([33, 1000])
        #expect(refusal(policy, PeerIdentity(user: 33)) == nil)
        #expect(refusal(policy, PeerIdentity(user: 1000)) == nil)
        #expect(refusal(policy, PeerIdentity(user: 0)) == "the peer is user 0, which is not among those allowed")
        #expect(refusal(policy, PeerIdentity(sid: "S-1-5-18")) == "the peer's user id is not known")
        #expect(refusal(.users([]), PeerIdentity(user: 1000)) != nil)
    }

    @Test func `any local user is accepted where that is asked for`() {
        #expect(refusal(.anyLocalUser, PeerIdentity()) == nil)
        #expect(refusal(.anyLocalUser, PeerIdentity(user: 4711)) == nil)
    }

    @Test func `a child of ours is accepted and no other process`() {
        #expect(refusal(.spawnedByUs, PeerIdentity(process: 77), children: [76, 77]) == nil)
        #expect(refusal(.spawnedByUs, PeerIdentity(process: 78), children: [76, 77]) == "the peer is process 78, which is not known as a child of this process")
        #expect(refusal(.spawnedByUs, PeerIdentity(user: 1000), children: [76, 77]) == "the peer's process id is not known")
        // The other end of a pair of sockets that this process made.
        #expect(refusal(.spawnedByUs, Self.own) == nil)
    }

    // MARK: Programs

    private static let tools = PeerPolicy.executables(named: ["tool", "picker"], in: ["/usr/bin", "/opt/app/bin/"])

    @Test(arguments: ["/usr/bin/tool", "/usr/bin/picker", "/opt/app/bin/tool"])
    func `a program with an allowed name in an allowed directory is accepted`(path: String) {
        #expect(refusal(Self.tools, PeerIdentity(executable: path)) == nil)
    }

    @Test(arguments: [
        ("/usr/bin/tool2", "name"), ("/usr/bin/Tool", "name"), ("/usr/bin/mytool", "name"), ("/usr/bin/tool.exe", "name"), ("/usr/bin/", "name"),
        ("/usr/bin/x\\tool", "name"), ("/usr/bin", "name"), ("/usr/bin/tool/", "name"),
        ("/usr/bin/sub/tool", "directory"), ("/home/me/usr/bin/tool", "directory"), ("/usr/bin2/tool", "directory"), ("/usr/tool", "directory"),
        ("/tool", "directory"), ("/usr/bin/../../tmp/tool", "directory"), ("/USR/bin/tool", "directory"), ("//usr/bin/tool", "directory"),
    ])
    func `a program that only resembles an allowed one is refused`(path: String, what: String) {
        #expect(refusal(Self.tools, PeerIdentity(executable: path)) == "the peer runs \(path), whose \(what) is not among those allowed")
    }

    @Test(arguments: ["tool", "usr/bin/tool", "./tool", "", "C:tool"])
    func `a path that is not absolute is refused`(path: String) {
        #expect(refusal(Self.tools, PeerIdentity(executable: path)) == "the peer runs \(path), which is no absolute path")
    }

    @Test func `names that only look alike are different files`() {
        let policy = PeerPolicy.executables(named: ["caf\u{E9}"], in: ["/usr/bin"])
        #expect(refusal(policy, PeerIdentity(executable: "/usr/bin/caf\u{E9}")) == nil)
        #expect(refusal(policy, PeerIdentity(executable: "/usr/bin/cafe\u{301}")) != nil)
    }

    @Test func `on Windows both slashes separate and case does not matter, but nothing else is loose`() {
        let policy = PeerPolicy.executables(named: ["Tool.exe"], in: ["C:\\Program Files\\App\\"])
        #expect(refusal(policy, PeerIdentity(executable: "C:\\Program Files\\App\\Tool.exe")) == nil)
        #expect(refusal(policy, PeerIdentity(executable: "c:/PROGRAM FILES/app/tool.EXE")) == nil)
        #expect(refusal(policy, PeerIdentity(executable: "C:\\Program Files\\App\\Tool")) != nil)
        #expect(refusal(policy, PeerIdentity(executable: "D:\\Program Files\\App\\Tool.exe")) != nil)
        #expect(refusal(policy, PeerIdentity(executable: "C:\\Program Files\\App\\Sub\\Tool.exe")) != nil)
        #expect(refusal(policy, PeerIdentity(executable: "\\\\host\\C:\\Program Files\\App\\Tool.exe")) != nil)
        #expect(refusal(.executables(named: ["tool"], in: ["C:\\"]), PeerIdentity(executable: "C:\\tool")) == nil)
        #expect(refusal(.executables(named: ["tool"], in: ["\\\\host\\share"]), PeerIdentity(executable: "\\\\HOST\\share\\tool")) == nil)
    }

    @Test func `a program in the root directory is found there`() {
        #expect(refusal(.executables(named: ["init"], in: ["/"]), PeerIdentity(executable: "/init")) == nil)
        #expect(refusal(.executables(named: ["init"], in: ["/"]), PeerIdentity(executable: "/sbin/init")) != nil)
    }

    @Test(arguments: [tools, .sameDirectoryAsSelf])
    func `a program whose file is gone is refused with that said`(policy: PeerPolicy) {
        let path = policy.description == "sameDirectoryAsSelf" ? "/opt/app/tool (deleted)" : "/usr/bin/tool (deleted)"
        #expect(refusal(policy, PeerIdentity(executable: path)) == "the peer runs \(path): its file is gone or was replaced since it started; start it anew")
        #expect(refusal(policy, PeerIdentity(user: 1000)) == "the peer's executable is not known")
    }

    @Test func `a program beside this one is accepted and no other`() {
        #expect(refusal(.sameDirectoryAsSelf, PeerIdentity(executable: "/opt/app/tool")) == nil)
        for path in ["/opt/app/bin/tool", "/opt/tool", "/opt/app2/tool", "/home/me/opt/app/tool"] {
            #expect(
                refusal(.sameDirectoryAsSelf, PeerIdentity(executable: path))
                    == "the peer runs \(path), which does not lie beside this process's executable")
        }
        #expect(
            refusal(.sameDirectoryAsSelf, PeerIdentity(executable: "/opt/app/tool"), own: PeerIdentity(user: 1000))
                == "this process's own executable is not known")
        let replaced = PeerIdentity(executable: "/opt/app/service (deleted)")
        #expect(refusal(.sameDirectoryAsSelf, PeerIdentity(executable: "/opt/app/tool"), own: replaced) == nil)
    }

    @Test func `a program is known by its digest`() {
        let policy = PeerPolicy.sha256([String(repeating: "0", count: 64), Self.hexadecimal.uppercased()])
        #expect(refusal(policy, PeerIdentity(executable: "/tmp/x (deleted)", digest: Self.digest)) == nil)
        #expect(
            refusal(policy, PeerIdentity(digest: [UInt8](repeating: 0xAC, count: 32)))
                == "the SHA-256 of the peer's program, \(String(repeating: "ac", count: 32)), is not among those allowed")
        #expect(refusal(policy, PeerIdentity(executable: "/usr/bin/tool")) == Self.noDigest)
        for wrong in ["", "ab", Self.hexadecimal + "ab", String(Self.hexadecimal.dropLast()), String(repeating: "xy", count: 32)] {
            #expect(refusal(.sha256([wrong]), PeerIdentity(digest: Self.digest)) != nil)
        }
        #expect(refusal(.sha256([""]), PeerIdentity(digest: [])) != nil)
    }

    // MARK: Combined and custom

    @Test func `any of several policies is enough`() {
        let policy = PeerPolicy.anyOf([.sameUser, .systemService])
        #expect(refusal(policy, PeerIdentity(user: 1000)) == nil)
        #expect(refusal(policy, PeerIdentity(user: 0)) == nil)
        #expect(
            refusal(policy, PeerIdentity(user: 33))
                == "sameUser: the peer is user 33, this process user 1000; systemService: the peer is user 33, not root")
        #expect(refusal(.anyOf([]), PeerIdentity(user: 1000)) == "anyOf of no policies accepts nobody")
    }

    @Test func `all of several policies are needed`() {
        let policy = PeerPolicy.allOf([.sameUser, Self.tools])
        #expect(refusal(policy, PeerIdentity(user: 1000, executable: "/usr/bin/tool")) == nil)
        #expect(refusal(policy, PeerIdentity(user: 1, executable: "/usr/bin/tool")) == "sameUser: the peer is user 1, this process user 1000")
        #expect(refusal(policy, PeerIdentity(user: 1000)) == "\(Self.tools): the peer's executable is not known")
        #expect(refusal(.allOf([]), PeerIdentity(user: 1000)) == "allOf of no policies accepts nobody")
    }

    @Test func `an unknown field spoils only the policies that need it`() {
        let policy = PeerPolicy.anyOf([.sha256([Self.hexadecimal]), .allOf([.sameUser, .spawnedByUs])])
        #expect(refusal(policy, PeerIdentity(user: 1000, process: 5), children: [5]) == nil)
        #expect(refusal(policy, PeerIdentity(user: 1, digest: Self.digest)) == nil)
        #expect(refusal(policy, PeerIdentity(user: 1000, process: 6), children: [5]) != nil)
    }

    @Test func `a policy of one's own decides, once what it wants is known`() {
        let policy = PeerPolicy.custom("even", wants: [.digest]) { peer in
            (peer.process ?? 1) % 2 == 0 ? .accepted : .refused("process \(peer.process ?? 1) is odd")
        }
        #expect(refusal(policy, PeerIdentity(process: 4, digest: Self.digest)) == nil)
        #expect(refusal(policy, PeerIdentity(process: 5, digest: Self.digest)) == "process 5 is odd")
        #expect(refusal(policy, PeerIdentity(process: 4)) == Self.noDigest)
        let path = PeerPolicy.custom("path", wants: [.executable]) { _ in .accepted }
        #expect(refusal(path, PeerIdentity(process: 4)) == "the peer's executable is not known")
        #expect(refusal(.custom("never") { _ in .refused("no") }, Self.own) == "no")
    }

    // MARK: Before everything is read

    private func judgement(_ policy: PeerPolicy, _ peer: PeerIdentity, unread: Set<PeerIdentity.Field> = [.executable, .digest]) -> PeerPolicy.Judgement {
        policy.judgement(on: peer, own: Self.own, children: [], unread: unread)
    }

    @Test func `a policy about what is not read yet says what it needs`() {
        let peer = PeerIdentity(user: 1000)
        #expect(judgement(Self.tools, peer) == .needs(.executable))
        #expect(judgement(.sha256([Self.hexadecimal]), peer) == .needs(.digest))
        #expect(judgement(.custom("c", wants: [.executable, .digest]) { _ in .accepted }, peer) == .needs(.executable))
        #expect(judgement(.sha256([Self.hexadecimal]), peer, unread: [.executable]) == .refused(Self.noDigest))
        #expect(judgement(.sameUser, peer) == .accepted)
    }

    @Test func `nothing more is needed of a peer whom another of all policies refuses, in whichever order`() {
        let peer = PeerIdentity(user: 5)
        #expect(judgement(.allOf([.sha256([Self.hexadecimal]), .sameUser]), peer) == .refused("sameUser: the peer is user 5, this process user 1000"))
        #expect(judgement(.allOf([.users([5]), .sha256([Self.hexadecimal]), Self.tools]), peer) == .needs(.executable))
        let elsewhere = PeerIdentity(user: 5, executable: "/tmp/tool")
        guard case .refused = judgement(.allOf([.sha256([Self.hexadecimal]), Self.tools]), elsewhere, unread: [.digest]) else {
            Issue.record("the path has decided already")
            return
        }
    }

    @Test func `nothing more is needed of a peer whom another of any policies accepts, in whichever order`() {
        let policy = PeerPolicy.anyOf([.sha256([Self.hexadecimal]), .sameUser])
        #expect(judgement(policy, PeerIdentity(user: 1000)) == .accepted)
        #expect(judgement(policy, PeerIdentity(user: 5)) == .needs(.digest))
        #expect(judgement(policy, PeerIdentity(user: 5, digest: Self.digest), unread: []) == .accepted)
    }

    @Test func `only the fields that a policy needs are asked for`() {
        for policy in [PeerPolicy.sameUser, .systemService, .spawnedByUs, .users([1]), .anyLocalUser, .anyOf([.sameUser]), .custom("c") { _ in .accepted }] {
            #expect(policy.wants == [], "\(policy)")
        }
        #expect(Self.tools.wants == [.executable])
        #expect(PeerPolicy.sameDirectoryAsSelf.wants == [.executable])
        #expect(PeerPolicy.sha256([]).wants == [.digest])
        #expect(PeerPolicy.anyOf([.sameUser, Self.tools, .allOf([.sha256([])])]).wants == [.executable, .digest])
        #expect(PeerPolicy.custom("c", wants: [.digest]) { _ in .accepted }.wants == [.digest])
    }

    @Test func `policies and peers describe themselves on one line`() {
        #expect(
            "\(PeerPolicy.anyOf([.sameUser, .allOf([.users([1, 2]), Self.tools]), .sha256([""])]))"
                == "anyOf(sameUser, allOf(users(1, 2), executables(tool, picker in /usr/bin, /opt/app/bin/)), sha256(1))")
        #expect(
            "\(PeerIdentity(user: 1, group: 2, process: 3, executable: "/a\nb\u{202E}", digest: [0x0A, 0xFF], sid: "S-1"))"
                == "user 1, group 2, user S-1, process 3, /a\\u{a}b\\u{202e}, sha256 0aff")
        #expect("\(PeerIdentity())" == "unknown peer")
        #expect(refusal(Self.tools, PeerIdentity(executable: "/x\ny"))?.contains("\n") == false)
    }
}
