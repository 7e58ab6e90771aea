// Messages that are kept until they are acknowledged, between a client and a service in one process.

import Ginnel
import GinnelTesting
import GinnelTransport
import Testing

struct Note: Event, Equatable {
    static let name = "note"
    var number: Int
    var text = ""
}

/// What a service was handed.
struct Handed: Sendable, Equatable {
    var number: Int
    var isRedelivered: Bool
}

@Suite(.serialized, .ownThread, .timeLimit(.minutes(2))) struct DeliveryTests {
    /// A service that notes what it is handed.
    private func service(_ endpoint: Endpoint, _ handed: Recorded<Handed>, _ body: @escaping @Sendable (Note) async throws -> Void = { _ in }) -> Service {
        let service = makeService(at: endpoint, configuration: .quiet)
        service.receive(Note.self) { note, context in
            try await body(note)
            handed.append(Handed(number: note.number, isRedelivered: context.isRedelivered))
        }
        return service
    }

    private func withPlace<Result: Sendable>(_ body: (Endpoint) async throws -> Result) async throws -> Result {
        try await withDirectory { try await body(.path($0 + "/s")) }
    }

    private func first(_ count: Int) -> [Handed] { (0..<count).map { Handed(number: $0, isRedelivered: false) } }

    @Test func `messages are handed on once and in order, and their receipts say so`() async throws {
        try await withPlace { endpoint in
            let handed = Recorded<Handed>()
            try await withService(service(endpoint, handed)) {
                try await Client.connect(to: endpoint, reconnect: .soon, configuration: .quiet) { client in
                    for number in 0..<500 {
                        let receipt = try await client.send(Note(number: number), delivery: .acknowledged)
                        if number % 100 == 99 { try await receipt.acknowledged() }
                    }
                    try await client.flush()
                    #expect(client.unacknowledged == 0)
                }
            }
            #expect(handed.all == first(500))
        }
    }

    @Test func `a message of the largest size arrives, and a larger one is refused by name`() async throws {
        try await withPlace { endpoint in
            let handed = Recorded<Handed>()
            try await withService(service(endpoint, handed)) {
                try await Client.connect(to: endpoint, reconnect: .soon, configuration: .quiet) { client in
                    try await client.send(Note(number: 1, text: String(repeating: "x", count: 1_000_000)), delivery: .acknowledged).acknowledged()
                    let receipt = try await client.send(Note(number: 2, text: String(repeating: "x", count: 2_000_000)), delivery: .acknowledged)
                    let error = try await errorOf(CallError.self) { try await receipt.acknowledged() }
                    #expect(error.code == .tooLarge && error.sentence.contains("over the peer's limit"))
                    try await client.send(Note(number: 3), delivery: .acknowledged).acknowledged()
                }
            }
            #expect(handed.all.map(\.number) == [1, 3])
        }
    }

    @Test func `a refused message is refused for good, with the code of its receiver`() async throws {
        struct Unheard: Event { static let name = "unheard" }
        try await withPlace { endpoint in
            let handed = Recorded<Handed>()
            let service = service(endpoint, handed) { note in
                if note.number == 1 { throw CallError(FailureCode(rawValue: 1234), "not this one") }
                if note.number == 2 { throw NoError(expected: "inside") }
            }
            try await withService(service) {
                try await Client.connect(to: endpoint, reconnect: .soon, configuration: .quiet) { client in
                    for (number, code) in [(1, FailureCode(rawValue: 1234)), (2, .internal)] {
                        let receipt = try await client.send(Note(number: number), delivery: .acknowledged)
                        let error = try await errorOf(CallError.self) { try await receipt.acknowledged() }
                        #expect(error.code == code)
                    }
                    let unheard = try await client.send(Unheard(), delivery: .acknowledged)
                    let error = try await errorOf(CallError.self) { try await unheard.acknowledged() }
                    #expect(error.code == .unknownMethod)
                    try await client.send(Note(number: 3), delivery: .acknowledged).acknowledged()
                }
            }
            #expect(handed.all == [Handed(number: 3, isRedelivered: false)])
        }
    }

    @Test func `a message from a peer that may not send it is refused`() async throws {
        try await withPlace { endpoint in
            let service = makeService(at: endpoint, configuration: .quiet)
            service.receive(Note.self, allowing: .users([4_000_000])) { _, _ in Issue.record("it was handed on") }
            try await withService(service) {
                try await Client.connect(to: endpoint, reconnect: .soon, configuration: .quiet) { client in
                    let receipt = try await client.send(Note(number: 1), delivery: .acknowledged)
                    let error = try await errorOf(CallError.self) { try await receipt.acknowledged() }
                    #expect(error.code == .forbidden)
                }
            }
        }
    }

    @Test func `what the policy of a message wants to know of a peer is read`() async throws {
        try await withPlace { endpoint in
            let handed = Recorded<Int>()
            let service = makeService(at: endpoint, configuration: .quiet)
            let policy = PeerPolicy.custom("a known program", wants: [.executable]) { $0.executable == nil ? .refused("its program is not known") : .accepted }
            service.receive(Note.self, allowing: policy) { note, _ in handed.append(note.number) }
            try await withService(service) {
                try await Client.connect(to: endpoint, reconnect: .soon, configuration: .quiet) { client in
                    try await client.send(Note(number: 1), delivery: .acknowledged).acknowledged()
                }
            }
            #expect(handed.all == [1])
        }
    }

    @Test func `messages wait for the service to appear, and arrive in order`() async throws {
        try await withPlace { endpoint in
            let handed = Recorded<Handed>()
            let client = Client(to: endpoint, reconnect: .soon, configuration: .quiet)
            for number in 0..<50 { try await client.send(Note(number: number), delivery: .acknowledged) }
            #expect(client.unacknowledged == 50)
            async let running: Void = client.run()
            try await withService(service(endpoint, handed)) { try await client.flush() }
            client.close()
            try await running
            #expect(handed.all == first(50))
        }
    }

    @Test func `however often the connection breaks, one instance is handed each message once and in order`() async throws {
        try await withPlace { endpoint in
            let handed = Recorded<Handed>()
            let service = makeService(at: endpoint, configuration: .quiet)
            service.receive(Note.self) { [weak service] note, context in
                if note.number % 7 == 3 {
                    for connection in service?.connections ?? [] { connection.close(.internal, "a break") }
                }
                handed.append(Handed(number: note.number, isRedelivered: context.isRedelivered))
            }
            try await withService(service) {
                let client = Client(to: endpoint, reconnect: .soon, configuration: .quiet)
                async let running: Void = client.run()
                for number in 0..<300 { try await client.send(Note(number: number), delivery: .acknowledged) }
                try await client.flush()
                client.close()
                try await running
            }
            #expect(handed.all.map(\.number) == Array(0..<300))
        }
    }

    @Test func `a service that was started anew is handed again what the one before did not acknowledge, and told so`() async throws {
        try await withPlace { endpoint in
            let (before, after) = (Recorded<Handed>(), Recorded<Handed>())
            let began = Recorded<Int>()
            let first = service(endpoint, before) { note in
                began.append(note.number)
                if note.number == 2 { try await Task.sleep(for: .seconds(3600)) }
            }
            let client = Client(to: endpoint, reconnect: .soon, configuration: .quiet)
            async let running: Void = client.run()
            let serving = Task { try await first.run() }
            for number in 0..<5 { try await client.send(Note(number: number), delivery: .acknowledged) }
            try await began.wait { $0.last == 2 }
            serving.cancel()
            _ = await serving.result
            try await withService(service(endpoint, after)) { try await client.flush() }
            client.close()
            try await running
            #expect(before.all == self.first(2))
            #expect(after.all.map(\.number) == [2, 3, 4])
            #expect(after.all.first?.isRedelivered == true)
        }
    }

    @Test(arguments: [OutboxOverflow.refuse, .wait, .dropOldest]) func `a full outbox does what was chosen`(overflow: OutboxOverflow) async throws {
        try await withPlace { endpoint in
            let handed = Recorded<Handed>()
            var configuration = ClientConfiguration.quiet
            configuration.outbox.limits.messages = 3
            configuration.outbox.limits.overflow = overflow
            let client = Client(to: endpoint, reconnect: .soon, configuration: configuration)
            var receipts: [DeliveryReceipt] = []
            for number in 0..<3 { receipts.append(try await client.send(Note(number: number), delivery: .acknowledged)) }
            let fourth = Task { try await client.send(Note(number: 3), delivery: .acknowledged) }
            if overflow == .refuse {
                let error = try await errorOf(CallError.self) { _ = try await fourth.value }
                #expect(error.code == .resourceExhausted && error.sentence.contains("outbox"))
            }
            if overflow == .dropOldest {
                _ = try await fourth.value
                let error = try await errorOf(CallError.self) { try await receipts[0].acknowledged() }
                #expect(error.code == .resourceExhausted)
            }
            async let running: Void = client.run()
            try await withService(service(endpoint, handed)) {
                if overflow == .wait { try await fourth.value.acknowledged() }
                try await client.flush()
            }
            client.close()
            try await running
            #expect(handed.all.map(\.number) == [OutboxOverflow.refuse: [0, 1, 2], .wait: [0, 1, 2, 3], .dropOldest: [1, 2, 3]][overflow])
        }
    }

    @Test func `what a service sends reaches its client over a break, once and in order`() async throws {
        try await withPlace { endpoint in
            let handed = Recorded<Handed>()
            let service = makeService(at: endpoint, configuration: .quiet)
            let client = Client(to: endpoint, reconnect: .soon, configuration: .quiet)
            client.receive(Note.self) { note, context in handed.append(Handed(number: note.number, isRedelivered: context.isRedelivered)) }
            try await withService(service) {
                async let running: Void = client.run()
                try await client.checkIsServed()
                let connection = try #require(service.connections.first)
                for number in 0..<100 {
                    try await connection.send(Note(number: number), delivery: .acknowledged)
                    if number == 40 { connection.close(.internal, "a break") }
                }
                try await handed.wait { $0.count == 100 }
                client.close()
                try await running
            }
            #expect(handed.all.map(\.number) == Array(0..<100))
        }
    }

    @Test func `flush waits for what was sent before it, though others never stop to send`() async throws {
        try await withPlace { endpoint in
            let (sent, handed) = (Recorded<Int>(), Recorded<Handed>())
            // None is dealt with before the next one lies in the outbox, so that this is never empty.
            let service = service(endpoint, handed) { note in try await sent.wait { $0.count > note.number + 1 } }
            try await withService(service) {
                try await Client.connect(to: endpoint, reconnect: .soon, configuration: .quiet) { client in
                    let isOver = Recorded<Void>()
                    let sending = Task {
                        while isOver.count == 0 {
                            try await client.send(Note(number: sent.count), delivery: .acknowledged)
                            sent.append(0)
                        }
                        sent.append(0)
                    }
                    try await sent.wait { $0.count >= 100 }
                    try await client.flush(timeout: .seconds(60))
                    #expect(handed.count >= 100 && client.unacknowledged > 0)
                    isOver.signal()
                    try await sending.value
                }
            }
        }
    }

    @Test func `the end of a client's body waits for what is not acknowledged`() async throws {
        try await withPlace { endpoint in
            let handed = Recorded<Handed>()
            let service = service(endpoint, handed) { _ in for _ in 0..<100 { await Task.yield() } }
            try await withService(service) {
                try await Client.connect(to: endpoint, reconnect: .soon, configuration: .quiet) { client in
                    for number in 0..<20 { try await client.send(Note(number: number), delivery: .acknowledged) }
                }
            }
            #expect(handed.all == first(20))
        }
    }

    @Test func `a client that is closed leaves when its messages are acknowledged`() async throws {
        try await withPlace { endpoint in
            let handed = Recorded<Handed>()
            var configuration = ServiceConfiguration.quiet
            // Room for one message at a time.
            configuration.limits.announced.maximumMessage = 1024
            configuration.limits.announced.deliveryWindow = 2048
            let service = makeService(at: endpoint, configuration: configuration)
            service.receive(Note.self) { note, context in handed.append(Handed(number: note.number, isRedelivered: context.isRedelivered)) }
            try await withService(service) {
                let client = Client(to: endpoint, reconnect: .soon, configuration: .quiet)
                async let running: Void = client.run()
                try await client.checkIsServed()
                for number in 0..<50 { try await client.send(Note(number: number, text: String(repeating: "x", count: 600)), delivery: .acknowledged) }
                client.close()
                try await running
                #expect(client.unacknowledged == 0)
            }
            #expect(handed.all == first(50))
        }
    }

    @Test func `a service that stops leaves when those who are connected have what it sent them`() async throws {
        try await withPlace { endpoint in
            let handed = Recorded<Handed>()
            var configuration = ClientConfiguration.quiet
            configuration.limits.announced.maximumMessage = 1024
            configuration.limits.announced.deliveryWindow = 2048
            let client = Client(to: endpoint, reconnect: .soon, configuration: configuration)
            client.receive(Note.self) { note, context in handed.append(Handed(number: note.number, isRedelivered: context.isRedelivered)) }
            let service = makeService(at: endpoint, configuration: .quiet)
            async let running: Void = client.run()
            try await withService(service) {
                try await client.checkIsServed()
                let connection = try #require(service.connections.first)
                for number in 0..<50 { try await connection.send(Note(number: number, text: String(repeating: "x", count: 600)), delivery: .acknowledged) }
            }
            #expect(handed.all == first(50))
            client.close()
            try await running
        }
    }

    @Test func `a client that ends says so to those who wait for an acknowledgement`() async throws {
        try await withPlace { endpoint in
            let client = Client(to: endpoint, reconnect: .exponential(Backoff(base: .milliseconds(1)), attempts: 2), configuration: .quiet)
            let receipt = try await client.send(Note(number: 1), delivery: .acknowledged)
            let lost = try await errorOf(GinnelError.self) { try await client.run() }
            #expect(lost.code == .notFound)
            let error = try await errorOf(CallError.self) { try await receipt.acknowledged() }
            #expect(error.code == .unavailable)
            let late = try await errorOf(CallError.self) { _ = try await client.send(Note(number: 2), delivery: .acknowledged) }
            #expect(late.code == .unavailable)
        }
    }
    @Test func `a client that has ended keeps no message, not even its first`() async throws {
        try await withPlace { endpoint in
            let client = Client(to: endpoint, configuration: .quiet)
            let lost = try await errorOf(GinnelError.self) { try await client.run() }
            let late = try await errorOf(GinnelError.self) { _ = try await client.send(Note(number: 1), delivery: .acknowledged) }
            #expect(late.code == lost.code)
        }
    }

    @Test func `what cannot be kept is refused by name`() async throws {
        let endpoint = Endpoint.inProcess(uniqueName())
        let client = Client(to: endpoint, configuration: .quiet)
        let fileless = try await errorOf(GinnelError.self) { _ = try await client.send(Note(number: 1), delivery: .durable) }
        #expect(fileless.sentence.contains("outbox.path"))
        var configuration = ClientConfiguration.quiet
        configuration.format = .taggedJSON()
        let other = Client(to: endpoint, configuration: configuration)
        let formless = try await errorOf(GinnelError.self) { _ = try await other.send(Note(number: 1), delivery: .acknowledged) }
        #expect(formless.sentence.contains("acknowledges nothing"))
    }

    @Test func `a sensitive message is kept only where nobody else can read it`() async throws {
        struct Secret: Event {
            static let name = "secret"
            static let isSensitive = true
        }
        let client = Client(to: .path("/nowhere/s"), configuration: .quiet)
        let error = try await errorOf(CallError.self) { _ = try await client.send(Secret(), delivery: .acknowledged) }
        #expect(error.code == .encryptionRequired && error.outcome == .notBegun)
        #expect(client.unacknowledged == 0)
        let inside = Client(to: .inProcess(uniqueName()), configuration: .quiet)
        try await inside.send(Secret(), delivery: .acknowledged)
        #expect(inside.unacknowledged == 1)
    }

    #if !DurableOutbox
    @Test func `a build without a disk for messages says which trait it lacks`() async throws {
        var configuration = ClientConfiguration.quiet
        configuration.outbox.path = "/nowhere/outbox"
        let client = Client(to: .inProcess(uniqueName()), configuration: configuration)
        let error = try await errorOf(GinnelError.self) { try await client.run() }
        #expect(error.code == .unsupported && error.sentence.contains("DurableOutbox"))
    }
    #endif
}
