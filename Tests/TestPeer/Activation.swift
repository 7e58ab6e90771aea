// Plays the service manager: gives this very process id the listening descriptor 3 by the LISTEN_FDS convention, and becomes the service.

import Foundation

enum Activation {
    static func run(_ options: Options) -> Never {
        setenv("LISTEN_PID", "\(getpid())", 1)
        setenv("LISTEN_FDS", "1", 1)
        let arguments = ["TestPeer", "serve", "--endpoint", "listener:0"] + (options["policy"].map { ["--policy", $0] } ?? [])
        var pointers = arguments.map { strdup($0) }
        pointers.append(nil)
        execv("/proc/self/exe", pointers)
        say("failed exec \(errno)")
        exit(71)
    }
}
