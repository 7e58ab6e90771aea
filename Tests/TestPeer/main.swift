// The other process of Ginnel's tests: a service or a client of another user, under another name, with few descriptors, to be killed, to be watched.
//
//     TestPeer MODE [--option VALUE …]
//
// It says what happens in lines on standard output and obeys lines that come through the descriptor that TESTPEER_CONTROL names. When that
// ends, so does this process, so that nothing is left behind by a test that fails.

import Foundation
import Ginnel

Strays.close()
let options = Options(CommandLine.arguments)
options.become()
Control.begin()

switch options.mode {
case "serve": await Serving(options).run()
case "call": await Calling(options).run()
case "squat": Squatting.run(options)
case "ring": await Ringing.run(options)
case "stream": await Streaming.run(options)
case "converse": await Conversing(options).run()
case "crowd": await Crowding(options).run()
case "listen": await Listening(options).run()
case "flood": await Flooding(options).run()
case "keep": try await Keeping.run(options)
case "receive": try await Receiving.run(options)
case "send": try await Sending.run(options)
case "activate": Activation.run(options)
case "allocations": try await Allocations.run(options)
#if DurableOutbox
case "outbox": await OutboxKeeping.run(options)
#endif
case "top-level":
    // Here, and not in a function: what is asked is on which thread the body runs when the program's top level connects.
    let isOnLoop = try await Client.connect(to: options.endpoint) { client in
        let before = client.isOnLoop
        _ = try await client.call("echo", payload: [1])
        return before && client.isOnLoop && !Thread.isMainThread
    }
    say("top-level \(isOnLoop)")
default:
    say("there is no mode \(options.mode)")
    exit(64)
}
