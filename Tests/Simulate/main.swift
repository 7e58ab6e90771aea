// Whole services and clients in virtual time against a seeded adversary, and the machines below them alone, more seeds than other tests have time for. `make simulate` runs it.
//
//     Simulate [--seeds N] [--from N]      runs N seeds from the given one on, 2,000 from 0 by default
//     Simulate --seed N [--fault NAME]     runs one again; with --trace, says what happens
//     Simulate --faults                    plants each fault, and looks whether it is found within 2,000 seeds
//     Simulate --machines                  sessions, outbox and inbox alone (DeliverySimulation), in all of the above
//
// A seed that fails prints one line, with the command that runs it again. Ends with status 1 when there was one.

import Foundation
import GinnelTesting

// The order of sets and dictionaries is a part of what a seed has to replay.
if getenv("SWIFT_DETERMINISTIC_HASHING") == nil, let program = Bundle.main.executablePath {
    setenv("SWIFT_DETERMINISTIC_HASHING", "1", 1)
    var arguments = CommandLine.arguments.map { strdup($0) } + [nil]
    execv(program, &arguments)
}
exit(Runs(CommandLine.arguments).run() ? 0 : 1)
