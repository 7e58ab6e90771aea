// recorder: asks the recorder's service to do things, and starts it when there is none. `recorder help` says what it can.

import Foundation
import Ginnel
import RecorderMessages

do {
    let arguments = try ClientArguments(CommandLine.arguments.dropFirst())
    try await RecorderCommand(arguments).run()
} catch {
    let problem = Problem(error)
    FileHandle.standardError.write(Data("recorder: \(problem.sentence)\n".utf8))
    exit(problem.status.rawValue)
}

/// Prints a line at once, also where the output is a pipe.
func say(_ line: String) { FileHandle.standardOutput.write(Data((line + "\n").utf8)) }
