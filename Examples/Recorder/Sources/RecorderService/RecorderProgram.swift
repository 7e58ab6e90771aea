// The service as a program: its options, and the two things that it does side by side, serving and recording.

import Foundation
import Ginnel
import RecorderMessages

struct ServiceOptions: Sendable {
    var endpoint = RecorderProtocol.endpoint
    var output = NSHomeDirectory() + "/Videos"
    var token = ApprovalTokenFile.standard
    var events = EventShape.flat
    var trust = TrustedPrograms()

    init(_ arguments: some Sequence<String>) throws(RecorderError) {
        var iterator = arguments.makeIterator()
        while let option = iterator.next() {
            if option == "--headless" { continue }
            guard ["--endpoint", "--output", "--token", "--events", "--trust"].contains(option) else { throw RecorderError("unknown option \(option)") }
            guard let value = iterator.next() else { throw RecorderError("\(option) wants a value") }
            switch option {
            case "--endpoint": endpoint = Endpoint(value)
            case "--output": output = value
            case "--token": token = ApprovalTokenFile(path: value)
            case "--trust": trust.programs.append(value)
            default:
                guard let shape = EventShape(rawValue: value) else { throw RecorderError("--events is flat or nested, not \(value)") }
                events = shape
            }
        }
    }
}

struct RecorderProgram: Sendable {
    let options: ServiceOptions

    init(_ options: ServiceOptions) { self.options = options }

    /// The status that the program ends with.
    func run() async throws -> Int32 {
        // A clock that stops with the machine: a recording does not go on while a laptop is closed.
        let start = SuspendingClock.now
        let recorder = Recorder(output: try OutputDirectory(checking: options.output), token: options.token) { SuspendingClock.now - start }
        var configuration = ServiceConfiguration.defaults
        configuration.program = "recorder-service"
        let service = Service(recorder, at: options.endpoint, policy: options.trust.policy, events: options.events, configuration: configuration)
        return try await withThrowingTaskGroup(of: Int32?.self) { group in
            group.addTask {
                await recorder.run()
                return nil
            }
            group.addTask { try await service.run(until: .terminated).exitStatus }
            var status: Int32 = 0
            while let ended = try await group.next() {
                if let ended { status = ended }
                // The service has ended; the recorder saves what it has.
                group.cancelAll()
            }
            return status
        }
    }
}
