// A client that counts the events that it hears, and the answers of calls that it makes. Says `listening`; obeys `call METHOD COUNT`, whereupon it says `called` once they have left, and `report`, to which it says
// `heard N missed N answered N failed N`. Says `over` when its connection has ended and nothing is outstanding.

import Ginnel
import GinnelTransport

/// 64 KiB for everybody.
struct Drop: Event {
    static let name = "drop"
    static let codec = Codec.raw

    init() {}
    init(decoding bytes: borrowing RawSpan) {}
    func encoded() -> [UInt8] { [UInt8](repeating: 3, count: 64 << 10) }
}

struct Listening: Sendable {
    private struct Counts {
        var (heard, missed, answered, failed) = (0, 0, 0, 0)
    }

    private let options: Options
    private let counts = Guarded(Counts())

    init(_ options: Options) { self.options = options }

    func run() async {
        var configuration = ClientConfiguration.defaults
        configuration.timeouts.heartbeat = nil
        configuration.log = .off
        let client = Client(to: options.endpoint, configuration: configuration)
        let drops = client.events(of: Drop.self, capacity: .max)
        await withTaskGroup { group in
            group.addTask { try? await client.run() }
            group.addTask {
                for await delivery in drops {
                    counts.withLock { counts in
                        switch delivery {
                        case .event: counts.heard += 1
                        case .lagged(let count): counts.missed += count
                        }
                    }
                }
                say("over")
            }
            _ = try? await client.call("echo", payload: [])
            say("listening")
            for await order in Control.orders {
                let words = order.split(separator: " ").map(String.init)
                switch words.first {
                case "call":
                    for _ in 0..<(Int(words[2]) ?? 0) { group.addTask { await call(words[1], client) } }
                    // It travels behind them.
                    _ = try? await client.ping()
                    say("called")
                case "report": say(counts.withLock { "heard \($0.heard) missed \($0.missed) answered \($0.answered) failed \($0.failed)" })
                default: break
                }
            }
        }
    }

    private func call(_ method: String, _ client: Client) async {
        let isAnswered = (try? await client.call(method, payload: [])) != nil
        counts.withLock { counts in
            if isAnswered { counts.answered += 1 } else { counts.failed += 1 }
        }
    }
}
