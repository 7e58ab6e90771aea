// What stands on the command line: `--name value`, in any order.

import Foundation

public struct Options: Sendable {
    private var values: [String: String] = [:]

    /// Ends the program with a sentence when the line has anything else than these names, each with a value.
    public init(_ known: String, _ arguments: [String] = CommandLine.arguments) {
        let names = known.split(separator: " ").map(String.init)
        var rest = arguments.dropFirst()
        while let name = rest.popFirst() {
            guard name.hasPrefix("--"), names.contains(String(name.dropFirst(2))) else {
                Self.fail("\(name): the options are \(names.map { "--\($0)" }.joined(separator: ", ")), each with a value")
            }
            guard let value = rest.popFirst() else { Self.fail("\(name): a value is missing") }
            values[String(name.dropFirst(2))] = value
        }
    }

    public subscript(name: String) -> String? { values[name] }

    public func needed(_ name: String) -> String {
        guard let value = values[name] else { Self.fail("--\(name) is needed") }
        return value
    }

    /// 0 or more. Ends the program where the value is something else.
    public func number(_ name: String, or default: Int) -> Int {
        guard let value = values[name] else { return `default` }
        guard let number = Int(value), number >= 0 else { Self.fail("--\(name) \(value): this is no number from 0 on") }
        return number
    }

    private static func fail(_ sentence: String) -> Never {
        FileHandle.standardError.write(Data((sentence + "\n").utf8))
        exit(2)
    }
}

/// Prints a line at once, also where the output is a pipe.
public func say(_ line: String) { try? FileHandle.standardOutput.write(contentsOf: Data((line + "\n").utf8)) }
