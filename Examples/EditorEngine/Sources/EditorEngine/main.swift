// Without arguments this program is the editor, which starts the same program again as its engine.

import Foundation

if CommandLine.arguments.count == 3, CommandLine.arguments[1] == "engine" {
    try await Engine(directory: CommandLine.arguments[2]).run()
} else {
    try await EngineProcess.run { directory in
        for way in Way.allCases { try await Tour(way: way, directory: directory).run() }
        try await Context(directory: directory).handOver()
        try await Latency(directory: directory).show()
    }
}

/// Prints a line at once, also where the output is a pipe; editor and engine share it.
func say(_ line: String) { FileHandle.standardOutput.write(Data((line + "\n").utf8)) }
