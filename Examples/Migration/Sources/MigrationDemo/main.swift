// Shows a migration: a service, two agents of which one is killed in the middle and starts again, and one that lies about who it is. Ends by itself.
//
//     migration [--in DIRECTORY]
//
// `--in`: where homes and backups are made and left; otherwise in a directory that is removed at the end.

import Foundation
import Ginnel
import MigrationCommon

let options = Options("in")
let place = options["in"].map { URL(fileURLWithPath: $0) } ?? FileManager.default.temporaryDirectory.appendingPathComponent("migration-\(getpid())")
try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
defer { if options["in"] == nil { try? FileManager.default.removeItem(at: place) } }
let homes = place.appendingPathComponent("homes")
let backups = place.appendingPathComponent("backups")
try Homes.make(2, in: homes)

let programs = URL(fileURLWithPath: Bundle.main.executablePath ?? CommandLine.arguments[0]).deletingLastPathComponent()
let socket = place.appendingPathComponent("s").path
let first = "\(Account.own)/1"
let second = "\(Account.own)/2"
let victim = Victim(first, manifest: backups.appendingPathComponent("1/manifest.jsonl"))

func sidecar(_ program: String, _ arguments: [String], _ restarts: RestartPolicy, _ readiness: SidecarReadiness = .started, heard: @escaping @Sendable (String) -> Void = { _ in })
    -> Sidecar
{
    var configuration = SidecarConfiguration.defaults
    configuration.readiness = readiness
    configuration.restarts = restarts
    configuration.log = .off
    configuration.output = { line in
        say("  \(line.text)")
        heard(line.text)
    }
    return Sidecar(programs.appendingPathComponent(program).path, arguments: ["--path", socket, "--quick", "1"] + arguments, configuration: configuration)
}

func agent(_ name: String, home: Int, _ more: [String], _ restarts: RestartPolicy, heard: @escaping @Sendable (String) -> Void = { _ in }) -> Sidecar {
    let (from, to) = (homes.appendingPathComponent("\(home)").path, backups.appendingPathComponent("\(home)").path)
    return sidecar("migration-agent", ["--user", name, "--from", from, "--to", to] + more, restarts, heard: heard)
}

let service = sidecar("migration-service", ["--agents", "2", "--report-every", "20"], RestartPolicy(.onFailure), .listening(at: .path(socket)))
let one = agent(first, home: 1, ["--pause", "25"], RestartPolicy(.onFailure, backoff: Backoff(base: .milliseconds(100)))) { victim.said($0) }
let two = agent(second, home: 2, ["--pause", "5", "--delays", "4"], RestartPolicy(.onFailure))
let liar = agent("mallory", home: 2, [], .never)

try await service.run {
    await withThrowingTaskGroup { group in
        group.addTask { await victim.follow(one) }
        group.addTask { try await one.run() }
        group.addTask { try await two.run() }
        // It is refused, and ends with a status that says so.
        group.addTask { try? await liar.run() }
        while let result = await group.nextResult() { if case .failure(let error) = result { say("something went wrong: \(error)") } }
    }
    // It ends by itself, after the agents.
    for await _ in service.states {}
}

let same =
    try Homes.same(homes.appendingPathComponent("1"), backups.appendingPathComponent("1")) + Homes.same(homes.appendingPathComponent("2"), backups.appendingPathComponent("2"))
say("\(first) was killed at \(victim.percent ?? 0) percent, with \(victim.complete) files complete, and started again: \(victim.result ?? "it never ended")")
say("\(same) of \(Homes.total(2)) files are the same as their originals, to the byte")
exit(same == Homes.total(2) && victim.percent != nil && victim.result != nil ? 0 : 1)
