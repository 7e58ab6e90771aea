// The service of a migration: asks the agents of its users for a backup, follows it, and ends when everybody has one.
//
//     migration-service (--path PATH | --at NAME) [--agents 2] [--quick 1]

import Ginnel
import MigrationCommon

let options = Options()
let settings = Settings(options)
let isSystem = options["at"] != nil

var configuration = ServiceConfiguration.defaults
configuration.timeouts = settings.timeouts
configuration.log = .off
let service = Service(at: Settings.endpoint(options), format: .envelope(), access: isSystem ? .anyLocalUser : .currentUser, configuration: configuration)
let migration = Migration(agents: options.number("agents", or: 2))
migration.serve(service)

try await withThrowingTaskGroup { group in
    group.addTask { try await service.run() }
    group.addTask { await migration.end(service) }
    // The first error ends the other.
    for try await _ in group {}
}
say("service: everybody has a backup; I end")
