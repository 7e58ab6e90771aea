// Tells what happens in a step: at once to people, and as one object when it is over to machines.

import GinnelTransport

final class Narrator: Sendable {
    private let number: Int
    private let title: String
    private let output: Output
    private let lines = Guarded([String]())
    private let facts = Guarded([(name: String, value: JSONTree)]())

    init(_ number: Int, _ step: Step, _ output: Output) {
        self.number = number
        title = step.title
        self.output = output
        output.say(output.style.bold("\(number). \(title)"))
    }

    func say(_ line: String) {
        lines.withLock { $0.append(line) }
        output.say("   \(line)")
    }

    /// Said by the service rather than seen by the client.
    func quote(_ line: String) {
        lines.withLock { $0.append("service: \(line)") }
        output.say("   \(output.style.yellow("service:")) \(line)")
    }

    /// For machines.
    func note(_ name: String, _ value: JSONTree) { facts.withLock { $0.append((name, value)) } }

    /// `failure`: what did not happen as it should.
    func conclude(_ failure: String?) {
        output.say(failure.map { "   \(output.style.red("failed:")) \($0)\n" } ?? "")
        output.emit([
            "type": "step", "number": .integer(number), "title": .text(title), "ok": .boolean(failure == nil), "failure": .string(failure),
            "lines": .array(lines.withLock { $0 }.map { .text($0) }), "facts": .object(facts.withLock { $0 }),
        ])
    }
}
