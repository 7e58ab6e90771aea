// Many seeds, or one again: what the command line asks for.

import GinnelTesting

struct Runs {
    private let arguments: [String]

    init(_ arguments: [String]) { self.arguments = arguments }

    private func has(_ name: String) -> Bool { arguments.contains("--" + name) }
    private func option(_ name: String) -> String? { arguments.firstIndex(of: "--" + name).flatMap { $0 + 1 < arguments.count ? arguments[$0 + 1] : nil } }
    private func number(_ name: String) -> UInt64? { option(name).flatMap { UInt64($0) } }

    private var isOfMachines: Bool { has("machines") }

    /// Whether all was as it should be.
    func run() -> Bool {
        if has("faults") { return findFaults() }
        let only = number("seed")
        let first = only ?? number("from") ?? 0
        let count = only == nil ? number("seeds") ?? 2_000 : 1
        var digest: UInt32 = 0
        var failures = 0
        var missing = Set(Trace.Occurrence.allCases)
        for seed in first..<first + count {
            let run = outcome(of: seed)
            digest = digest &* 31 &+ run.digest
            missing.subtract(run.occurrences)
            if has("digests") { print("\(seed) \(String(run.digest, radix: 16))") }
            guard !run.problems.isEmpty else { continue }
            failures += 1
            let again = [isOfMachines ? " --machines" : "", option("fault").map { " --fault \($0)" } ?? ""].joined()
            print("seed \(seed): \(run.problems.joined(separator: "; ")) · again: \(arguments[0]) --seed \(seed)\(again)")
            if failures == 20 { break }
        }
        print("\(count) seeds from \(first): \(failures == 20 ? "20 or more" : "\(failures)") failed · digest \(String(digest, radix: 16))")
        // Among many seeds everything that they are meant for must have happened.
        guard !isOfMachines, count >= 2_000, option("fault") == nil, !missing.isEmpty else { return failures == 0 }
        print("no seed has come upon: \(missing.map(\.rawValue).sorted().joined(separator: ", "))")
        return false
    }

    private func outcome(of seed: UInt64) -> (problems: [String], digest: UInt32, occurrences: Set<Trace.Occurrence>) {
        if isOfMachines { return (DeliverySimulation.problems(seed: seed, fault: option("fault").flatMap { SimulatedFault(rawValue: $0) }), 0, []) }
        let world = World(seed: seed, fault: option("fault").flatMap { Fault(rawValue: $0) }, isSpoken: has("trace"))
        world.run()
        return (world.trace.problems, world.trace.digest, world.trace.occurrences)
    }

    private func findFaults() -> Bool {
        var areFound = true
        for fault in Fault.allCases {
            let seed = (0..<2_000 as Range<UInt64>).first { seed in
                let world = World(seed: seed, fault: fault, isSpoken: false)
                world.run()
                return !world.trace.problems.isEmpty
            }
            print(seed.map { "\(fault.rawValue): found by seed \($0)" } ?? "\(fault.rawValue): not found")
            if seed == nil { areFound = false }
        }
        return areFound
    }
}
