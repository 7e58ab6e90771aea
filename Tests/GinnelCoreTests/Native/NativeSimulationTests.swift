import GinnelCore
import GinnelTesting
import Testing

@Suite struct NativeSimulationTests {
    /// Each seed is a run of its own; to look at one again, put it here.
    @Test(arguments: 0..<10)
    func `whatever two programs do, every call ends once, nothing is damaged, overdrawn or left`(block: UInt64) {
        for seed in block * 50..<(block + 1) * 50 {
            let problems = NativeSimulation.problems(seed: seed)
            #expect(problems.isEmpty, "seed \(seed): \(problems.prefix(3))")
        }
    }
}
