// `ginnel describe`: what a service is and what can be called.

import Ginnel

extension Command {
    static let describe = Command(
        name: "describe", summary: "list the methods of a service",
        operands: [.endpoint],
        options: [Invocation.expectation, Invocation.key],
        notes: ["Shapes: call (one answer), stream (many items), upload (the caller sends many), exchange (both do)."],
        examples: ["ginnel describe recorder", "ginnel describe recorder --json"]
    ) { invocation in
        let output = invocation.output
        return try await invocation.asking { client in
            let description = try await client.ask("ginnel.describe", Description.self).answer
            description.say(at: invocation.operands[0], client.service, output)
            output.emit(description.tree)
            return .done
        }
    }
}

/// The answer of `ginnel.describe`.
struct Description: Message {
    struct Method: Codable, Sendable {
        var name: String
        var shape: String
    }

    var service: String
    /// Name and version of the program, if it says so.
    var program: String?
    var methods: [Method]

    fileprivate func say(at endpoint: String, _ peer: PeerIdentity?, _ output: Output) {
        let style = output.style
        let facts = [program.flatMap { $0.isEmpty ? nil : $0.harmless }, peer?.process.map { "process \($0)" }, peer?.user.map { "user \($0)" }].compactMap(\.self)
        output.say(style.bold((service.isEmpty ? endpoint : service).harmless) + (facts.isEmpty ? "" : "  " + facts.joined(separator: ", ")))
        if methods.isEmpty { output.say("  no methods") }
        let width = (methods.map { $0.name.harmless.count }.max() ?? 0) + 2
        for method in methods { output.say("  \(method.name.harmless.padded(to: width))\(style.dim(method.shape.harmless))") }
    }

    fileprivate var tree: JSONTree {
        [
            "type": "describe", "service": .text(service), "program": .string(program),
            "methods": .array(methods.map { ["name": .text($0.name), "shape": .text($0.shape)] }),
        ]
    }
}
