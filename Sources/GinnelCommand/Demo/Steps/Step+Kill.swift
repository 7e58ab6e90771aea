// The bad day: the service dies in the middle of everything.

import Ginnel

extension Step {
    private static let inFlight = 100

    static let kill = Step(title: "The service is killed with \(inFlight) calls in flight") { stage, narrator in
        guard let service = stage.service else { throw Trouble(.failed, code: "demo", "there is no service") }
        let before = try await endings(of: service, stage, narrator)
        narrator.note("calls", .integer(before))
        narrator.note("ended", .integer(before))

        // The kernel closes a killed process's descriptors one after the other: callers may know before the lock is free.
        try require(await service.status(within: .seconds(5)) != nil, "the killed process runs on")
        let report = EndpointReport(inspecting: stage.path)
        try require(report.socket != nil && !report.answers && !report.lockHeld, "its socket is not stale")
        narrator.say("it left its socket behind; its lock went with it, so nobody has to guess whether it lives")
        let began = clock
        let successor = try await stage.startService()
        let text = try await stage.connected { try await $0.call(Greet(name: "again"), deadline: .seconds(5)).text }
        try require(text.contains("\(successor.id)"), "the answer is \(text)")
        narrator.say("a new service takes the endpoint over: \(Figure.time(clock - began)) after its start it answers, \"\(text)\"")
        narrator.note("successor", .integer(Int(successor.id)))
    }

    /// Kills the service in the middle of its work, and sees every call end.
    private static func endings(of service: Child, _ stage: Stage, _ narrator: Narrator) async throws -> Int {
        try await stage.connected { client in
            try await withThrowingTaskGroup(of: CallError.self) { group in
                for _ in 1...inFlight {
                    group.addTask {
                        do {
                            _ = try await client.call(Work(label: "flight"))
                            throw Trouble(.failed, code: "demo", "a killed service has answered")
                        } catch let error as CallError {
                            return error
                        }
                    }
                }
                _ = try await client.call(Seen(label: "flight", what: .begun, count: inFlight), deadline: .seconds(5))
                narrator.say("the service has begun \(inFlight) calls; now: kill -9 \(service.id)")
                let killed = clock
                service.kill()
                var ended = 0
                for try await error in group {
                    try require(error.code == .connectionLost && error.outcome == .unknown, "a call ended with \(error)")
                    ended += 1
                }
                narrator.say("\(ended) of \(inFlight) callers know after \(Figure.time(clock - killed)): \(FailureCode.connectionLost), outcome unknown")
                narrator.say("none hangs, and none is told more than can be known: the work may have been done or not, so it is not repeated behind anybody's back")
                return ended
            }
        }
    }
}
