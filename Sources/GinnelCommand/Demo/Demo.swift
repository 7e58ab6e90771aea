// `ginnel demo`: what Ginnel is for, shown rather than told. A service and a client run as two processes and go through what happens to such a pair, the bad days
// included. Nothing is staged: every number is measured in this run, and a step that does not do what it says fails the demo.

import Ginnel

extension Command {
    static let demo = Command(
        name: "demo", summary: "show in a few seconds what Ginnel does, with a service and a client as two processes",
        notes: ["Everything happens in a fresh directory that is closed to others and gone afterwards. Only processes that the demo started are ended."]
    ) { invocation in
        try await Interruption.cancelling {
            let stage = try await Stage()
            let result: Result<Bool, any Error>
            do {
                result = .success(try await perform(on: stage, invocation.output))
            } catch {
                result = .failure(error)
            }
            await stage.clear()
            return try result.get() ? .done : .failed
        }
    }

    private static let steps: [Step] = [.start, .calls, .stream, .event, .deadline, .cancellation, .stranger, .kill, .latency]

    /// Whether every step did what it says.
    private static func perform(on stage: Stage, _ output: Output) async throws -> Bool {
        output.say("A service and its client, two processes on this machine, talk over a Unix socket. It takes a few seconds.\n")
        let began = clock
        var failed = 0
        for (index, step) in steps.enumerated() {
            let narrator = Narrator(index + 1, step, output)
            do {
                try await step.run(stage, narrator)
                narrator.conclude(nil)
            } catch {
                try Task.checkCancellation()
                failed += 1
                narrator.conclude(Trouble(error, endpoint: stage.path).sentence)
            }
        }
        let seconds = Double(clock - began) / 1e9
        let verdict =
            failed == 0 ? output.style.green("all \(steps.count) steps did what they say") : output.style.red("\(failed) of \(steps.count) steps did not do what they say")
        output.say("\(verdict), in \(Figure.time(clock - began)). To go on: ginnel help")
        output.emit(["type": "summary", "ok": .boolean(failed == 0), "steps": .integer(steps.count), "failed": .integer(failed), "seconds": .number(seconds)])
        return failed == 0
    }
}

/// One thing that the demo shows.
struct Step: Sendable {
    let title: String
    let run: @Sendable (Stage, Narrator) async throws -> Void

    /// What a step promises, checked.
    static func require(_ condition: Bool, _ promise: @autoclosure () -> String) throws {
        if !condition { throw Trouble(.failed, code: "demo", "this should not happen: \(promise())") }
    }
}
