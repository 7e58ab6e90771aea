// The service of a migration: asks the agents of its users for a backup, follows it, and ends when everybody has one.
//
//     migration-service (--path PATH | --at NAME | --at PATH) [--agents 2] [--report-every PERCENT] [--grace 30] [--quick 1]
//
// `--at`: for the agents of all users. `--report-every`: how often agents are told to say how far they are. `--grace`: seconds that an agent has to end.

import Foundation
import Ginnel
import MigrationCommon

let options = Options("path at agents report-every grace quick")
let settings = Settings(options)
let isSystem = options["at"] != nil

var configuration = ServiceConfiguration.defaults
configuration.timeouts = settings.timeouts
configuration.log = .off
let service = Service(at: Settings.endpoint(options), format: .envelope(), access: isSystem ? .anyLocalUser : .currentUser, configuration: configuration)
let reportEvery = options["report-every"].map { _ in Int64(options.number("report-every", or: 0)) }
let migration = Migration(agents: options.number("agents", or: 2), reportEvery: reportEvery, grace: options.number("grace", or: 30))
migration.serve(service)

let isDone = await withTaskGroup(of: Bool.self) { group in
    group.addTask {
        do {
            try await service.run(until: .terminated)
        } catch let error as GinnelError {
            say("service: I cannot serve: \(error)")
            exit(1)
        } catch {
            // It was cancelled: nobody does that here.
        }
        return false
    }
    group.addTask {
        await migration.end(service)
        return !Task.isCancelled
    }
    var isDone = false
    for await everybodyHasOne in group {
        isDone = isDone || everybodyHasOne
        // A signal has ended the service, and nobody is waited for any more.
        if !everybodyHasOne { group.cancelAll() }
    }
    return isDone
}
say(isDone ? "service: everybody has a backup; I end" : "service: I was told to end")
