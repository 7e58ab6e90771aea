// What takes long, at random and for as long as one likes. Shared memory under load: two processes that call each other and exchange bare messages, of all lengths and with pauses at random, and of which one is
// killed now and then in the middle of it. Every byte is compared. And a crowd of clients (`Crowd.swift`). `make soak` runs both.
//
//     Soak [--minutes N] [--seed N]      runs rounds; prints how far it has come, and at the end what was done
//     Soak peer DIRECTORY SEED           the other process of one round
//     Soak crowd [--seconds N]           the crowd; prints at the end what was done
//     Soak crowd-service PATH            its service
//
// Ends with status 1 at the first thing that is not as it should be: a byte, an error that nobody caused, a round that hangs, a descriptor or a mapping that is left. It then says the seed of that
// round, with which it can be run again.

import Foundation
import Ginnel
import GinnelTransport

let arguments = CommandLine.arguments

func option(_ name: String) -> String? {
    arguments.firstIndex(of: "--" + name).flatMap { $0 + 1 < arguments.count ? arguments[$0 + 1] : nil }
}

if arguments.count == 4, arguments[1] == "peer", let seed = UInt64(arguments[3]) {
    OtherSide.endWithParent()
    await OtherSide(directory: arguments[2], plan: Plan(seed: seed)).run()
} else if arguments.count > 1, arguments[1] == "crowd" {
    await Crowd(seconds: option("seconds").flatMap { Double($0) } ?? 60).run()
} else if arguments.count == 3, arguments[1] == "crowd-service" {
    OtherSide.endWithParent()
    try await CrowdService.run(at: arguments[2])
} else {
    await Soak(minutes: option("minutes").flatMap { Double($0) } ?? 3, seed: option("seed").flatMap { UInt64($0) }).run()
}
