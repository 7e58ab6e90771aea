// recorder-service: serves one user's recorder until it is asked to end, by a request or by a signal.
//
//     recorder-service [--endpoint PATH|NAME] [--output DIRECTORY] [--token FILE] [--events flat|nested] [--trust PROGRAM]... [--headless]
//
// A second one for the same endpoint says who holds it and ends with status 1. `--headless` is taken for the sake of clients that start it so; there is no window.

import Foundation
import Ginnel
import RecorderMessages

do {
    let options = try ServiceOptions(CommandLine.arguments.dropFirst())
    exit(try await RecorderProgram(options).run())
} catch let error as RecorderError {
    FileHandle.standardError.write(Data("recorder-service: \(error)\n".utf8))
    exit(2)
} catch {
    FileHandle.standardError.write(Data("recorder-service: \(error)\n".utf8))
    exit(1)
}
