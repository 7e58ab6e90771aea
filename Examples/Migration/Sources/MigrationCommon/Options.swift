// What stands on the command line: `--name value`, in any order.

import Foundation

public struct Options: Sendable {
    private var values: [String: String] = [:]

    /// Ends the program with a sentence when the line has anything else.
    public init(_ arguments: [String] = CommandLine.arguments) {
        var rest = arguments.dropFirst()
        while let name = rest.popFirst() {
            guard name.hasPrefix("--"), let value = rest.popFirst() else { Self.fail("\(name): options are --name value") }
            values[String(name.dropFirst(2))] = value
        }
    }

    public subscript(name: String) -> String? { values[name] }

    public func needed(_ name: String) -> String {
        guard let value = values[name] else { Self.fail("--\(name) is needed") }
        return value
    }

    public func number(_ name: String, or default: Int) -> Int { values[name].flatMap(Int.init) ?? `default` }

    private static func fail(_ sentence: String) -> Never {
        FileHandle.standardError.write(Data((sentence + "\n").utf8))
        exit(2)
    }
}

/// Prints a line at once, also where the output is a pipe.
public func say(_ line: String) { FileHandle.standardOutput.write(Data((line + "\n").utf8)) }
