// Who is taken for one of the recorder's programs: same user, name, directory.

import Ginnel
import RecorderMessages
import Testing

@Suite struct TrustTests {
    private static let own = PeerIdentity(user: 1000, group: 1000, process: 1, executable: "/home/me/recorder/bin/recorder-service")

    private static func accepts(_ executable: String?, user: UInt32 = 1000, ownExecutable: String? = own.executable, adding programs: [String] = []) -> Bool {
        var own = own
        own.executable = ownExecutable
        var trust = TrustedPrograms(ownExecutable: ownExecutable)
        trust.programs = programs
        return trust.policy.verdict(on: PeerIdentity(user: user, group: 1000, process: 2, executable: executable), own: own) == .accepted
    }

    @Test(arguments: [
        "/usr/bin/recorder", "/usr/local/bin/omnirec", "/opt/omnirec/bin/omnirec-picker", "/home/me/recorder/bin/recorder",
        "/Applications/OmniRec.app/Contents/MacOS/omnirec",
    ])
    func `programs of the recorder where they are installed, or beside this one, are trusted`(path: String) { #expect(Self.accepts(path)) }

    @Test func `on Windows names have any case and may end in exe`() {
        #expect(Self.accepts(#"C:\Program Files\OmniRec\OmniRec.EXE"#))
        #expect(Self.accepts(#"c:\program files (x86)\omnirec\omnirec-picker.exe"#))
        #expect(!Self.accepts(#"C:\Users\me\OmniRec\omnirec.exe"#))
        #expect(!Self.accepts(#"C:\Program Files\OmniRec\other.exe"#))
    }

    @Test(arguments: [
        "/usr/bin/python3.11", "/usr/bin/recorder2", "/usr/bin/Recorder", "/usr/bin/recorder.exe2", "/tmp/recorder", "/usr/bin/x/recorder", "/usr/bin/../../tmp/recorder",
        "/usr/bin/recorder (deleted)", "recorder", "",
    ])
    func `programs of another name or another place are not`(path: String) { #expect(!Self.accepts(path)) }

    @Test func `neither is the right program of another user, or one of which nothing is known`() {
        #expect(!Self.accepts("/usr/bin/recorder", user: 1001))
        #expect(!Self.accepts("/usr/bin/recorder", user: 0))
        #expect(!Self.accepts(nil))
    }

    @Test func `builds are trusted by builds alone, and by whole parts of their paths`() {
        let build = "/home/me/src/.build/x86_64-unknown-linux-gnu/debug/recorder-service"
        for path in ["/x/.build/debug/recorder", "/x/target/release/omnirec", "/x/src-picker/build/omnirec-picker"] {
            #expect(Self.accepts(path, ownExecutable: build), "\(path)")
            #expect(!Self.accepts(path), "\(path)")
        }
        for path in ["/x/targets/debugger/omnirec", "/tmp/target-debug/omnirec", "/x/debug/target/omnirec", "/x/.build/omnirec", "/x/.build/debug/sh"] {
            #expect(!Self.accepts(path, ownExecutable: build), "\(path)")
        }
    }

    @Test func `a program that was added is trusted by its whole path`() {
        #expect(Self.accepts("/usr/bin/python3.11", adding: ["/usr/bin/python3.11"]))
        #expect(!Self.accepts("/usr/local/bin/python3.11", adding: ["/usr/bin/python3.11"]))
        #expect(!Self.accepts("/usr/bin/python3.11", user: 5, adding: ["/usr/bin/python3.11"]))
    }
}
