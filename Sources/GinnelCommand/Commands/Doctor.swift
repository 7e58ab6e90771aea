// `ginnel doctor`: what is wrong with an endpoint, and how to mend it. Looks at every place where the service may be, asks the kernel who answers there, and shakes hands with
// it as any client would. Changes nothing.

import Ginnel
import GinnelTransport

extension Command {
    static let doctor = Command(
        name: "doctor", summary: "say what is wrong with an endpoint, and how to mend it",
        operands: [.endpoint],
        options: [Invocation.expectation],
        notes: [
            "Looks at the directory, the lock and the socket of each place of the endpoint, at who holds and answers it, and whether that is whom to expect.",
            "The exit status is 0 when a client would be served, and 6 when something is wrong.",
        ],
        examples: ["ginnel doctor recorder", "ginnel doctor system:migration", "ginnel doctor /tmp/echo.sock --expect 1000"]
    ) { invocation in
        let endpoint = invocation.endpoint
        let expectation = try invocation.expectation(for: endpoint)
        var places: [PlaceReport] = []
        for place in try endpoint.places() { places.append(await PlaceReport(place, expectation)) }
        let diagnosis = Diagnosis(endpoint: invocation.operands[0], places: places)
        diagnosis.report(invocation.output)
        return diagnosis.isHealthy ? .done : .unhealthy
    }
}

private struct Diagnosis {
    let endpoint: String
    let places: [PlaceReport]

    /// Where a client ends up: it passes over places at which nobody listens.
    var serving: PlaceReport? { places.first { $0.isServing } }

    /// Nobody at one place is no harm when somebody serves at another.
    func isProblem(_ finding: EndpointReport.Finding) -> Bool {
        switch finding.kind {
        case .problem: true
        case .nobody: serving == nil
        case .note: false
        }
    }

    var isHealthy: Bool { serving != nil && !places.contains { $0.findings.contains(where: isProblem) } }

    func report(_ output: Output) {
        for place in places { say(place, output) }
        let style = output.style
        if let serving, isHealthy {
            output.say(style.green("healthy") + ": \(serving.service?.process ?? "the service") answers at \(serving.report.path.harmless)")
        } else if serving != nil {
            output.say(style.yellow("served, with the problems above"))
        } else {
            output.say(style.red("not served") + ": a client of \(endpoint.harmless) gets no connection")
        }
        output.emit([
            "type": "doctor", "endpoint": .text(endpoint), "healthy": .boolean(isHealthy), "served_at": .string(serving?.report.path), "places": .array(places.map(description)),
        ])
    }

    private func say(_ place: PlaceReport, _ output: Output) {
        let style = output.style
        output.say(style.bold(place.report.path.harmless))
        for (name, text) in place.facts { output.say("  \(style.dim(name.padded(to: 10)))\(text)") }
        for finding in place.findings {
            let isProblem = isProblem(finding)
            output.say("  \(isProblem ? style.red("problem".padded(to: 10)) : style.dim("note".padded(to: 10)))\(finding.what.harmless)")
            if !finding.remedy.isEmpty { output.say("  \(style.dim((isProblem ? "remedy" : "").padded(to: 10)))\(finding.remedy.harmless)") }
        }
        output.say()
    }

    private func description(_ place: PlaceReport) -> JSONTree {
        func entry(_ entry: EndpointReport.Entry?) -> JSONTree {
            entry.map { ["owner": .integer(Int($0.owner)), "mode": .text(EndpointReport.octal($0.mode)), "link": .boolean($0.isLink)] } ?? .null
        }
        let report = place.report
        return [
            "path": .text(report.path), "directory": entry(report.directory), "socket": entry(report.socket), "lock": entry(report.lock), "lock_held": .boolean(report.lockHeld),
            "lock_holder": report.lockHolder == 0 ? .null : .integer(Int(report.lockHolder)), "answers": .boolean(report.answers), "service": place.service?.description ?? .null,
            "findings": .array(
                place.findings.map { finding in
                    let kind = isProblem(finding) ? "problem" : "note"
                    return ["kind": .text(kind), "what": .text(finding.what), "remedy": .string(finding.remedy.isEmpty ? nil : finding.remedy)]
                }),
        ]
    }
}
