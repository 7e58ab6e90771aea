// Round after round until the time is over, with a look at what each has left behind.

import Foundation
import Ginnel
import GinnelTesting
import GinnelTransport

/// Says a line, also to who reads it through a pipe.
func say(_ line: String) {
    print(line)
    fflush(nil)
}

struct Soak: Sendable {
    /// No round takes longer; one that does hangs.
    private static let patience: DispatchTimeInterval = .seconds(120)

    private let end: ContinuousClock.Instant
    private let first: UInt64
    private let repeats: Bool
    private let tally = Tally()

    /// With a seed there is one round, that of the seed.
    init(minutes: Double, seed: UInt64?) {
        end = ContinuousClock.now + .seconds(minutes * 60)
        repeats = seed == nil
        first = seed ?? UInt64.random(in: 0..<1 << 32) << 16
    }

    func run() async -> Never {
        var seed = first
        var said = ContinuousClock.now
        say("shared memory, from seed \(seed) on")
        repeat {
            if let problem = await problem(of: seed) {
                say("seed \(seed): \(problem)\nafter \(tally.counts); again with: Soak --seed \(seed)")
                exit(1)
            }
            seed += 1
            if ContinuousClock.now - said > .seconds(10) {
                said = .now
                say("\(tally.counts)")
            }
        } while repeats && ContinuousClock.now < end
        say("all is well: \(tally.counts)")
        exit(0)
    }

    /// What is wrong with the round of `seed`.
    private func problem(of seed: UInt64) async -> String? {
        let directory = FileManager.default.temporaryDirectory.path + "/ginnel-soak-\(ProcessInfo.processInfo.processIdentifier)-\(seed)"
        let watch = Watch(Self.patience) {
            say("seed \(seed): the round hangs, after \(tally.counts)")
            exit(1)
        }
        defer {
            watch.stop()
            try? FileManager.default.removeItem(atPath: directory)
        }
        do {
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
            let before = System.descriptors.open
            try await Round(plan: Plan(seed: seed), directory: directory, tally: tally).run()
            // The first round opens what stays.
            let after = System.descriptors.open
            if seed != first, after > before { return "\(after - before) descriptors are left" }
            let mappings = Self.mappings
            return mappings.isEmpty ? nil : "mappings are left: \(mappings)"
        } catch {
            return "\(error)"
        }
    }

    private static var mappings: [String] {
        let maps = (try? FileHandle(forReadingAtPath: "/proc/self/maps")?.readToEnd()).map { String(decoding: $0, as: UTF8.self) } ?? ""
        return maps.split(separator: "\n").filter { $0.contains("/memfd:ginnel") }.map(String.init)
    }
}

/// Does something unless it is stopped in time.
final class Watch: Sendable {
    private let stopped = DispatchSemaphore(value: 0)

    init(_ time: DispatchTimeInterval, _ otherwise: @escaping @Sendable () -> Void) {
        Thread.detachNewThread { [stopped] in if stopped.wait(timeout: .now() + time) == .timedOut { otherwise() } }
    }

    func stop() { stopped.signal() }
}
