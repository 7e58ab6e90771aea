// The agent of one user: backs up a directory when the service asks for it.
//
//     migration-agent (--path PATH | --at NAME | --at PATH) --from DIRECTORY --to DIRECTORY [--user NAME] [--delays 0] [--pause 0] [--quick 1]
//
// `--user`: whom it says it works for; the service believes the kernel. `--pause`: milliseconds that it rests after each 64 KiB.

import Foundation
import Ginnel
import MigrationCommon

let options = Options("path at from to user delays pause quick")
let settings = Settings(options)
let source = URL(fileURLWithPath: options.needed("from"))
let target = URL(fileURLWithPath: options.needed("to"))
var isDirectory: ObjCBool = false
let isThere = FileManager.default.fileExists(atPath: source.path, isDirectory: &isDirectory)
guard isThere, isDirectory.boolValue, source.resolvingSymlinksInPath() != target.resolvingSymlinksInPath() else {
    say("\(source.path): not a directory, or the place of the backup itself")
    exit(2)
}

var configuration = ClientConfiguration.defaults
configuration.format = .envelope(received: [Envelope.ShutdownRequest.type])
configuration.timeouts = settings.timeouts
configuration.connectTimeout = settings.connectTimeout
configuration.program = "migration-agent"
configuration.log = .off

let agent = Agent(
    name: options["user"] ?? Account.own, client: Client(to: Settings.endpoint(options), reconnect: settings.reconnect, configuration: configuration),
    source: source, target: target, pause: .milliseconds(options.number("pause", or: 0)), delays: options.number("delays", or: 0))
do {
    try await agent.run()
} catch {
    say("\(agent.name): I end: \(error)")
    exit(1)
}
