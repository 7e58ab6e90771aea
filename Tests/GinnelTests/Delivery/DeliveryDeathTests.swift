// Messages whose receiver or sender is killed (SIGKILL) again and again while they are on their way. Half of the deaths come at a moment of chance. The other half come where it hurts most: the process
// dies behind the line that says that a message was handed on, or kept, and before anybody is told.

import CTestSupport
import Foundation
import Ginnel
import GinnelTesting
import GinnelTransport
import Testing

@Suite(.serialized, .ownThread, .timeLimit(.minutes(5))) struct DeliveryDeathTests {
    #if DurableOutbox
    static let deliveries = [Delivery.acknowledged, .durable]
    #else
    static let deliveries = [Delivery.acknowledged]
    #endif

    /// How a life ends.
    private enum Death {
        /// In the handler of so many messages, or behind so many that were kept.
        case byItself(Int)
        /// So many microseconds after it is there.
        case byChance(Int)

        init(_ random: inout SplitMix64) {
            self = random.oneIn(2) ? .byItself(random.number(in: 1...100)) : .byChance(random.number(in: 0...20_000))
        }

        var arguments: [String] { if case .byItself(let count) = self { ["--dies-after", "\(count)"] } else { [] } }

        /// Returns when the process is dead.
        func come(to child: Child, thatSays line: String) async throws {
            if case .byChance(let time) = self {
                try await child.line(line)
                try await Task.sleep(for: .microseconds(time))  // not a wait: when it is killed is up to chance
                child.kill()
            }
            let status = try await child.status()
            #expect(status == 256 + SIGKILL)
        }
    }

    @Test(arguments: deliveries)
    func `a service that is killed again and again under load loses no message, and what it is handed twice it is told of`(delivery: Delivery) async throws {
        try await withDirectory { directory in
            var configuration = ClientConfiguration.quiet
            configuration.outbox.limits.messages = 100
            if delivery == .durable { configuration.outbox.path = directory + "/outbox" }
            let client = Client(to: .path(directory + "/s"), reconnect: .soon, configuration: configuration)
            let load = DeliveryLoad(client, delivery)
            async let running: Void = client.run()
            async let loading: Void = load.run()
            var random = SplitMix64(seed: 5)
            var account = DeliveryAccount()
            var deathsByItself = 0
            for life in 0...Self.kills {
                let acknowledged = load.acknowledged
                let death = life < Self.kills ? Death(&random) : nil
                let journal = "\(directory)/journal-\(life)"
                let service = try Child(["receive", "--endpoint", directory + "/s", "--journal", journal] + (death?.arguments ?? []))
                if let death {
                    try await death.come(to: service, thatSays: "listening")
                    if case .byItself = death { deathsByItself += 1 }
                } else {
                    try await service.line("listening")
                    load.finish()
                    try await loading
                    try service.tell("stop")
                    try await service.line("over")
                }
                account.add(try JournalLine.all(at: journal), acknowledged: acknowledged)
            }
            client.close()
            try await running
            #expect(account.problems.isEmpty)
            // Every message was handed on, and acknowledged in the end.
            #expect(account.next == load.sent && load.acknowledged == load.sent)
            #expect(account.handed == load.sent.values.reduce(0, +) + account.repeated)
            // Who dies in a handler has one message at least that the next life is handed again: nobody was told of it.
            #expect(account.repeated >= deathsByItself && deathsByItself > Self.kills / 4, "\(account.handed) were handed on, \(account.repeated) of them again")
        }
    }

    #if DurableOutbox
    @Test func `what a sender that is killed again and again has on disk arrives, in order and once`() async throws {
        try await withDirectory { directory in
            let kills = Self.kills / 4
            let handed = Recorded<String>()
            let service = Service(at: .path(directory + "/s"), configuration: .quiet)
            service.receive(Numbered.self) { message, context in handed.append("\(context.priority) \(message.number)") }
            func child(_ life: Int, _ arguments: [String]) throws -> Child {
                let paths = ["--endpoint", directory + "/s", "--outbox", directory + "/outbox", "--journal", "\(directory)/journal-\(life)"]
                // No number is used in two lives.
                return try Child(["send", "--from", "\(life * 1_000_000)"] + paths + arguments)
            }
            // The first dies before there is a service at all: all that it has kept lies on disk.
            let first = try child(0, ["--dies-after", "40"])
            let status = try await first.status()
            #expect(status == 256 + SIGKILL)
            var random = SplitMix64(seed: 6)
            try await withService(service) {
                for life in 1...kills {
                    let death = Death(&random)
                    let sender = try child(life, death.arguments)
                    try await death.come(to: sender, thatSays: "sending")
                }
                let last = try child(kills + 1, [])
                try await last.line("sending")
                try last.tell("finish")
                try await last.line("flushed")
            }
            let kept = try (0...kills + 1).map { try JournalLine.texts(at: "\(directory)/journal-\($0)").map(String.init) }
            #expect(kept[0].count == 40)
            #expect(Set(kept.joined()).subtracting(handed.all) == [])
            // More may have come than was reported as kept: those of whom the sender was about to be told.
            for lane in ["high", "normal", "low"] {
                let numbers = handed.all.filter { $0.hasPrefix(lane + " ") }.compactMap { Int($0.dropFirst(lane.count + 1)) }
                #expect(numbers == Array(Set(numbers)).sorted())
            }
        }
    }
    #endif

    /// Under a sanitizer processes take their time to start.
    private static let kills = ts_is_sanitized() ? 50 : 200
}
