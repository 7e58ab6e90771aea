// The decoder law: what a machine does depends on the bytes that arrived and not on the portions in which they came.

package import GinnelCore

/// Feeds `input` to fresh machines whole, byte by byte, cut in two at every offset, and in random portions, and compares what each asks for and says with
/// what the first one does.
///
/// `prepare` runs after the start and before the first byte, for machines that must have asked something before they can be answered. Returns a description
/// of the first difference, or `nil` when the law holds. Takes time in proportion to the square of the input's length, unless `everyOffset` is false.
package func verifyDecoder(
    _ input: [UInt8], everyOffset: Bool = true, seed: UInt64 = 1, prepare: (inout MachineEnd) -> Void = { _ in }, _ machine: () -> any SessionMachine
) -> String? {
    func run(_ portions: [ArraySlice<UInt8>]) -> (actions: [RecordedAction], output: [UInt8]) {
        var end = MachineEnd(machine())
        end.start()
        prepare(&end)
        for portion in portions { end.receive(Array(portion)) }
        return (end.actions, end.takeAll())
    }
    let whole = run([input[...]])

    func difference(_ portions: [ArraySlice<UInt8>], _ name: @autoclosure () -> String) -> String? {
        let result = run(portions)
        if result.actions != whole.actions {
            let index = zip(result.actions, whole.actions).enumerated().first { $1.0 != $1.1 }?.offset ?? min(result.actions.count, whole.actions.count)
            func at(_ actions: [RecordedAction]) -> String { index < actions.count ? "\(actions[index])" : "nothing" }
            return "\(name()): action \(index) is \(at(result.actions)) and not \(at(whole.actions))"
        }
        return result.output == whole.output ? nil : "\(name()): \(result.output.count) bytes of output differ from \(whole.output.count) bytes"
    }

    if let found = difference(input.indices.map { input[$0...$0] }, "byte by byte") { return found }
    if everyOffset {
        for cut in input.indices {
            if let found = difference([input[..<cut], input[cut...]], "cut at \(cut)") { return found }
        }
    }
    var random = SplitMix64(seed: seed)
    for round in 0..<20 {
        var portions: [ArraySlice<UInt8>] = []
        var rest = input[...]
        let largest = random.number(in: 1...max(1, input.count / (1 + round)))
        while !rest.isEmpty {
            let portion = rest.prefix(random.number(in: 1...largest))
            portions.append(portion)
            rest = rest.dropFirst(portion.count)
        }
        if let found = difference(portions, "seed \(seed), round \(round)") { return found }
    }
    return nil
}
