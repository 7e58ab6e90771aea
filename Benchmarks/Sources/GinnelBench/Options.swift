// The arguments of every program here (README, "The contract of a program").

import Ginnel

struct Options {
    var work = "round-trip"
    var size = 1024
    var connections = 1
    var seconds = 1.0
    var placement = "one-cpu"
    var batch = 1
    var variant = "plain"
    var spin = 0
    /// Of both sides.
    var engine = Engine.reactor
    /// The wire format, a key of `Dialect.all`.
    var format = "native"
    /// Round trips begun in a second, 0 for as many as there can be.
    var pace = 0
    /// Set in the second process: the path of the endpoint.
    var serve: String?

    struct Unusable: Error { let sentence: String }

    /// Which variants there are of a work.
    private static let variants = [
        "round-trip": ["plain", "async", "elsewhere"], "one-way": ["plain"], "idle": ["plain"], "stream-echo": ["stream", "arrays", "call"],
        "stream-one-way": ["stream", "arrays", "event"], "protobuf-encode": ["plain"], "protobuf-decode": ["plain"],
    ]

    init(_ arguments: [String]) throws {
        var rest = arguments[...]
        while let name = rest.popFirst() {
            guard let value = rest.popFirst() else { throw Unusable(sentence: "\(name) needs a value") }
            switch name {
            case "--work": work = try Self.choice(name, value, Array(Self.variants.keys))
            case "--size": size = try Self.number(name, value, 1...65_536)
            case "--connections": connections = try Self.number(name, value, 1...4096)
            case "--seconds":
                guard let number = Double(value), (0.01...3600).contains(number) else { throw Unusable(sentence: "--seconds \(value) is not 0.01 to 3600") }
                seconds = number
            case "--placement": placement = try Self.choice(name, value, ["one-cpu", "two-cpu"])
            case "--batch": batch = try Self.number(name, value, 1...64)
            case "--mode": _ = value
            case "--variant": variant = value
            case "--pace": pace = try Self.number(name, value, 0...100_000)
            case "--spin-us": spin = try Self.number(name, value, 0...1_000_000)
            case "--engine": engine = Engine(name: try Self.choice(name, value, Engine.allCases.map(\.name))) ?? .reactor
            case "--format": format = try Self.choice(name, value, Array(Dialect.all.keys))
            case "--serve": serve = value
            default: throw Unusable(sentence: "unknown argument \(name)")
            }
        }
        variant = try Self.choice("--variant", variant, Self.variants[work] ?? [])
        if isOneWay || isThroughMemory, connections > 1 { throw Unusable(sentence: "--work \(work) has one connection") }
        if isOneWay, pace > 0 { throw Unusable(sentence: "--work \(work) has no pace") }
        if format != "native", work != "round-trip" || variant == "async" { throw Unusable(sentence: "--format \(format) is for plain round trips") }
        if size < dialect.shortest { throw Unusable(sentence: "--size \(size) is less than the \(dialect.shortest) bytes of the shortest message of \(format)") }
        if isThroughMemory, size < 8 { throw Unusable(sentence: "--size \(size) is less than the 8 bytes of a number") }
    }

    private static func choice(_ name: String, _ value: String, _ choices: [String]) throws -> String {
        guard choices.contains(value) else { throw Unusable(sentence: "\(name) \(value) is none of \(choices.sorted().joined(separator: ", "))") }
        return value
    }

    private static func number(_ name: String, _ value: String, _ range: ClosedRange<Int>) throws -> Int {
        guard let number = Int(value), range.contains(number) else { throw Unusable(sentence: "\(name) \(value) is not \(range.lowerBound) to \(range.upperBound)") }
        return number
    }

    /// `format` is a key of it.
    var dialect: Dialect { Dialect.all[format]! }

    /// Without a connection.
    var isSerialization: Bool { work.hasPrefix("protobuf-") }

    var isOneWay: Bool { work.hasSuffix("one-way") }

    /// Through shared memory: as a bare stream, or as a connection that moves there.
    var isThroughMemory: Bool { work.hasPrefix("stream-") }
    var isBareStream: Bool { variant == "stream" || variant == "arrays" }

    /// A loop or a stream polls only if its process may use more than one processor when it is made. Where it is to poll, the process makes it first and pins its threads
    /// then; everywhere else it pins itself before it has threads.
    var pinsLate: Bool { placement == "two-cpu" && spin > 0 }

    /// The processor for the server (0) and for the client (0 or 1).
    var clientProcessor: Int { placement == "two-cpu" ? 1 : 0 }

    var polling: Duration { .microseconds(spin) }

    /// Before it counts.
    var warmUp: Double { max(seconds / 10, 0.1) }
}
