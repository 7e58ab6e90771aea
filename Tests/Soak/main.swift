// Shared memory under load, at random and for as long as one likes: two processes that call each other and exchange bare messages, of all lengths and with pauses at random, and of which one is
// killed now and then in the middle of it. Every byte is compared. `make soak` runs it.
//
//     Soak [--minutes N] [--seed N]      runs rounds; prints how far it has come, and at the end what was done
//     Soak peer DIRECTORY SEED           the other process of one round
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
} else {
    await Soak(minutes: option("minutes").flatMap { Double($0) } ?? 3, seed: option("seed").flatMap { UInt64($0) }).run()
}
