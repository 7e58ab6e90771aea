import Foundation

/// Prints a line at once, also where the output is a pipe, and nowhere where nobody reads any more; both programs of the demonstration share it.
public func say(_ line: String) { try? FileHandle.standardOutput.write(contentsOf: Data((line + "\n").utf8)) }
