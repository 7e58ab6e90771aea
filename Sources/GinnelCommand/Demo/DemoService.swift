// The demo's service: a process of its own, started by the demo and ended with it.

import Foundation
import Ginnel

extension Command {
    static let demoService = Command(
        name: "demo-service", summary: "the demo's service",
        operands: [
            Operand(name: "PATH", help: "where it listens for this user"), Operand(name: "OPEN", help: "a second door"),
            Operand(name: "PROGRAM", help: "the only program that may come in there; without it, everybody can reach it", isRequired: false),
        ],
        isHidden: true
    ) { invocation in
        ExitStatus(try await DemoService(invocation.operands).service.run(until: .terminated))
    }
}

private struct DemoService: Sendable {
    let service: Service
    private let notebook: Notebook

    init(_ operands: [String]) {
        let notebook = Notebook()
        var configuration = ServiceConfiguration()
        configuration.program = "the demo's service"
        configuration.log = Log { _, message, _ in
            let prefix = "a peer was refused: "
            if message.hasPrefix(prefix) { notebook.write { $0.refusals.append(String(message.dropFirst(prefix.count))) } }
        }
        self.notebook = notebook
        service = Service(at: .path(operands[0]), configuration: configuration)
        if operands.count > 2 {
            let program = URL(fileURLWithPath: operands[2])
            let policy = PeerPolicy.executables(named: [program.lastPathComponent], in: [program.deletingLastPathComponent().path])
            service.listen(at: .path(operands[1]), policy: .allOf([.sameUser, policy]))
        } else {
            service.listen(at: .path(operands[1]), access: .anyLocalUser, policy: .sameUser)
        }
        addHandlers()
    }

    private func addHandlers() {
        service.handle(Greet.self) { request, _ in
            Greet.Response(text: "Hello, \(request.name). This is process \(ProcessInfo.processInfo.processIdentifier).")
        }
        service.handle(Pages.self) { [notebook] request, _, writer in
            for number in 0..<request.count {
                notebook.write { $0.pages = PagesSent.Response(sent: number, isWaiting: true) }
                try await writer.send(Pages.Item(number: number, text: String(repeating: "x", count: request.size)))
            }
            notebook.write { $0.pages = PagesSent.Response(sent: request.count, isWaiting: false) }
        }
        service.handle(PagesSent.self) { [notebook] _, _ in notebook.read { $0.pages } }
        service.handle(Announce.self) { [weak service] request, _ in
            Announce.Response(told: try service?.broadcast(Announcement(text: request.text)) ?? 0)
        }
        service.handle(Work.self) { [self] request, _ in try await work(request) }
        service.handle(Seen.self) { [notebook] request, _ in
            try await notebook.find { content in
                let note = content.works[request.label] ?? Notebook.Note()
                guard (request.what == .begun ? note.begun : note.ended) >= request.count else { return nil }
                return Seen.Response(ending: note.ending, milliseconds: note.milliseconds)
            }
        }
        service.handle(Refusals.self) { [notebook] request, _ in
            try await notebook.find { $0.refusals.count < request.count ? nil : Refusals.Response(reasons: $0.refusals) }
        }
    }

    /// Sleeps, and notes how that ended.
    private func work(_ request: Work) async throws -> Work.Response {
        let began = clock
        func note(_ ending: String) {
            let milliseconds = Double(clock - began) / 1e6
            notebook.write { content in
                content.works[request.label, default: Notebook.Note()].ended += 1
                content.works[request.label]?.ending = ending
                content.works[request.label]?.milliseconds = milliseconds
            }
        }
        notebook.write { $0.works[request.label, default: Notebook.Note()].begun += 1 }
        do {
            try await Task.sleep(for: .seconds(10))
        } catch {
            note("cancelled")
            throw error
        }
        note("done")
        return Work.Response()
    }
}
