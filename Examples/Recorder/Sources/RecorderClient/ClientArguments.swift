// The command line, and the statuses that the command ends with.

import Foundation
import Ginnel
import RecorderMessages

struct ClientArguments: Sendable {
    static let help = """
        recorder COMMAND [--endpoint PATH|NAME] [--service PROGRAM] [--trust PROGRAM]

          tour                        everything in a few seconds, with a service of its own (this is what no command does)
          list                        windows, monitors and sources of sound
          record SECONDS [WHAT]       WHAT is window:HANDLE, display:ID, or region:ID@X,Y,WIDTH,HEIGHT; else the primary monitor
          select                      what was selected last, in the form that pickers print
          thumbnail window:HANDLE|display:ID FILE
                                      a JPEG of it
          stop                        ends what is being recorded
          shutdown                    ends the service

        The service is started when nobody listens at the endpoint: PROGRAM, or else recorder-service beside this program.
        """

    var command = "tour"
    var operands: [String] = []
    var endpoint = RecorderProtocol.endpoint
    /// What a service has to be told of the endpoint, when it is not the usual one.
    var serviceArguments: [String] = []
    var service: String
    var trust = TrustedPrograms()

    init(_ arguments: some Sequence<String>) throws(Problem) {
        let own = Bundle.main.executablePath ?? CommandLine.arguments[0]
        service = (own as NSString).deletingLastPathComponent + "/recorder-service"
        var words: [String] = []
        var iterator = arguments.makeIterator()
        while let word = iterator.next() {
            guard word.hasPrefix("--") else {
                words.append(word)
                continue
            }
            guard ["--endpoint", "--service", "--trust"].contains(word) else { throw Problem(.badArguments, "unknown option \(word)") }
            guard let value = iterator.next() else { throw Problem(.badArguments, "\(word) wants a value") }
            switch word {
            case "--endpoint":
                endpoint = Endpoint(value)
                serviceArguments = ["--endpoint", value]
            case "--service": service = value
            default: trust.programs.append(value)
            }
        }
        if let first = words.first { command = first }
        operands = Array(words.dropFirst())
    }
}

/// What the command ends with: scripts of the original recorder know these numbers.
enum ExitStatus: Int32 {
    case general = 1
    case badArguments = 2
    case connectionFailed = 3
    case startFailed = 4
    case captureFailed = 5
    case transcodingFailed = 6
}

struct Problem: Error {
    let status: ExitStatus
    let sentence: String

    init(_ status: ExitStatus, _ sentence: String) { (self.status, self.sentence) = (status, sentence) }

    init(_ error: any Error) {
        switch error {
        case let problem as Problem: self = problem
        case let error as GinnelError: self.init(.connectionFailed, "\(error)")
        case let error as CallError: self.init(error.outcome == .failed ? .general : .connectionFailed, error.sentence)
        default: self.init(.general, "\(error)")
        }
    }
}

extension CaptureRequest {
    /// Reads `window:HANDLE`, `display:ID` and `region:ID@X,Y,WIDTH,HEIGHT`. A display's size is asked for later.
    init(reading text: String) throws(Problem) {
        let parts = text.split(separator: ":", maxSplits: 1).map(String.init)
        guard parts.count == 2 else { throw Problem(.badArguments, "\(text) is none of window:HANDLE, display:ID and region:ID@X,Y,WIDTH,HEIGHT") }
        switch parts[0] {
        case "window":
            guard let handle = Int64(parts[1]) else { throw Problem(.badArguments, "\(parts[1]) is no window's handle") }
            self = .window(handle)
        case "display": self = .display(parts[1])
        case "region":
            let halves = parts[1].split(separator: "@", maxSplits: 1)
            let numbers = halves.count == 2 ? halves[1].split(separator: ",").compactMap { Int32($0) } : []
            guard numbers.count == 4, numbers[2] > 0, numbers[3] > 0 else { throw Problem(.badArguments, "\(parts[1]) is no ID@X,Y,WIDTH,HEIGHT") }
            self = .region(String(halves[0]), x: numbers[0], y: numbers[1], width: UInt32(numbers[2]), height: UInt32(numbers[3]))
        default: throw Problem(.badArguments, "\(parts[0]) cannot be recorded; window, display and region can")
        }
    }
}
