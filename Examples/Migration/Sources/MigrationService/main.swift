// The service of a migration: asks the agents of its users for a backup, follows it, and ends when everybody has one.
//
//     migration-service (--path PATH | --at NAME | --at PATH) [--agents 2] [--report-every PERCENT] [--grace 30] [--quick 1]
//
// `--at`: for the agents of all users. `--report-every`: how often agents are told to say how far they are. `--grace`: seconds that an agent has to end.

import Ginnel
import MigrationCommon

let options = Options()
let settings = Settings(options)
let isSystem = options["at"] != nil

var configuration = ServiceConfiguration.defaults
configuration.timeouts = settings.timeouts
configuration.log = .off
let service = Service(at: Settings.endpoint(options), format: .envelope(), access: isSystem ? .anyLocalUser : .currentUser, configuration: configuration)
let migration = Migration(agents: options.number("agents", or: 2), reportEvery: options["report-every"].flatMap { Int64($0) }, grace: options.number("grace", or: 30))
migration.serve(service)

try await withThrowingTaskGroup { group in
    group.addTask { try await service.run() }
    group.addTask { await migration.end(service) }
    // The first error ends the other.
    for try await _ in group {}
}
say("service: everybody has a backup; I end")
