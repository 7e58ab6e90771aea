// Many messages: a stream whose reader is slow, and an event for everybody.

import Ginnel

extension Step {
    private static let pages = 2_000
    private static let pageSize = 4_096

    static let stream = Step(title: "A stream whose reader is slow makes its producer wait") { stage, narrator in
        try await stage.connected { client in
            var items = try await client.open(Pages(count: pages, size: pageSize)).makeAsyncIterator()
            var taken = 0
            while taken < 10 { taken += try await take(&items, taken) }
            narrator.say("asked for \(Figure.count(pages)) items of \(Figure.bytes(pageSize)); the reader takes \(taken) and stops")

            let sent = try await sentWhileWaiting(client)
            narrator.quote("I have sent \(sent), and half a second later still \(sent): I wait until somebody reads")
            let window = SessionLimits.defaults.announced.itemWindow
            narrator.say("\(sent - taken) items lie between the two, which the reader has allowed (\(Figure.bytes(window))); memory holds no more of them")

            while let item = try await items.next() {
                try require(item.number == taken && item.text.utf8.count == pageSize, "item \(taken) is number \(item.number) with \(item.text.utf8.count) bytes")
                taken += 1
            }
            try require(taken == pages, "\(taken) of \(pages) items came")
            narrator.say("the reader goes on, and so does the service: \(Figure.count(taken)) of \(Figure.count(pages)) items, in order")
            narrator.note("sent_while_reader_stopped", .integer(sent))
            narrator.note("items", .integer(taken))
        }
    }

    /// How many items the service has sent when it sends no more. On a busy machine it may take a while to come that far.
    private static func sentWhileWaiting(_ client: Client) async throws -> Int {
        var before = PagesSent.Response(sent: 0, isWaiting: false)
        for _ in 1...10 {
            // The reader is slow: that is what is shown. The service has time to send as much as it likes.
            try await Task.sleep(for: .milliseconds(500))
            let now = try await client.call(PagesSent(), deadline: .seconds(5))
            try require(now.sent < pages, "the service has sent everything although nobody reads")
            if now == before, now.isWaiting { return now.sent }
            before = now
        }
        throw Trouble(.failed, code: "demo", "the service goes on although nobody reads: \(before)")
    }

    private static func take(_ items: inout IncomingItems<Pages.Item>.Iterator, _ number: Int) async throws -> Int {
        let item = try await items.next()
        try require(item?.number == number, "item \(number) is missing")
        return 1
    }

    static let event = Step(title: "An event reaches every client") { stage, narrator in
        let text = "tea is ready"
        let clients = (0..<4).map { _ in Client(to: stage.endpoint, configuration: Stage.configuration) }
        // Subscribed before the connections begin, so that nothing is missed.
        let streams = clients.map { $0.events(of: Announcement.self) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for client in clients { group.addTask { try await client.run() } }
            for client in clients { _ = try await client.ping() }
            narrator.say("\(clients.count) clients are connected; one of them asks the service to tell everybody \"\(text)\"")
            let began = clock
            let told = try await clients[0].call(Announce(text: text), deadline: .seconds(5)).told
            narrator.quote("I told \(told)")
            var heard = 0
            for stream in streams {
                var events = stream.makeAsyncIterator()
                if case .event(let event)? = await events.next(), event.text == text { heard += 1 }
            }
            narrator.say("\(heard) of \(clients.count) clients heard it, the last one \(Figure.time(clock - began)) after the question was asked")
            try require(told >= clients.count && heard == clients.count, "\(told) were told and \(heard) heard it")
            for client in clients { client.close() }
            try await group.waitForAll()
        }
        narrator.note("clients", .integer(clients.count))
    }
}
