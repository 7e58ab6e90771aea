// Many seeds of the simulation of delivery, more than the tests have time for. `make simulate` runs it.
//
//     Simulate [--seeds N] [--from N]    runs N seeds from the given one on, 100,000 from 0 by default
//     Simulate --seed N [--fault NAME]   runs one again
//
// A seed that fails prints one line, with the command that runs it again. Ends with status 1 when there was one.

import Foundation
import GinnelTesting

let arguments = CommandLine.arguments

func option(_ name: String) -> String? {
    arguments.firstIndex(of: "--" + name).flatMap { $0 + 1 < arguments.count ? arguments[$0 + 1] : nil }
}

let fault = option("fault").flatMap { SimulatedFault(rawValue: $0) }
let only = option("seed").flatMap { UInt64($0) }
let first = only ?? option("from").flatMap { UInt64($0) } ?? 0
let count = only == nil ? option("seeds").flatMap { UInt64($0) } ?? 100_000 : 1
let faultNote = fault.map { " --fault \($0.rawValue)" } ?? ""
var failures = 0
for seed in first..<first + count {
    let problems = DeliverySimulation.problems(seed: seed, fault: fault)
    guard !problems.isEmpty else { continue }
    failures += 1
    print("seed \(seed): \(problems.joined(separator: "; ")) · again: .build/release/Simulate --seed \(seed)\(faultNote)")
    if failures == 20 { break }
}
print("\(count) seeds from \(first)\(faultNote): \(failures == 20 ? "20 or more" : "\(failures)") failed")
exit(failures == 0 ? 0 : 1)
