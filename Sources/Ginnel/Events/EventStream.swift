// A subscription to events, as an asynchronous sequence. Bounded: a subscriber that is slow misses the oldest and is told how many.

internal import GinnelCore
internal import GinnelTransport

/// One thing that reaches a subscriber.
public enum EventDelivery<Received: Event>: Sendable {
    case event(Received)
    /// This many events were dropped here, by the sender or by this subscriber's own buffer.
    case lagged(Int)
}

extension EventDelivery: Equatable where Received: Equatable {}

/// Events of one kind, from the moment of subscribing until the connection ends. Meant for one consumer; of several, one gets each event.
public struct EventStream<Received: Event>: AsyncSequence, Sendable {
    public typealias Element = EventDelivery<Received>
    public typealias Failure = Never

    private let subscription: EventSubscription<Received>

    init(_ hub: EventHub, capacity: Int) { subscription = EventSubscription(hub, capacity: capacity) }

    public func makeAsyncIterator() -> Iterator { Iterator(subscription: subscription) }

    public struct Iterator: AsyncIteratorProtocol {
        let subscription: EventSubscription<Received>

        public mutating func next() async -> EventDelivery<Received>? { await next(isolation: nil) }

        public mutating func next(isolation actor: isolated (any Actor)?) async -> EventDelivery<Received>? { await subscription.next() }
    }
}

final class EventSubscription<Received: Event>: Sendable {
    private struct State {
        var events = Queue<Received>()
        var missed = 0
        var isOver = false
        var waiters = Waiters<Void>()
        var id: UInt64?
    }

    private let hub: EventHub
    private let capacity: Int
    private let state = Guarded(State())

    init(_ hub: EventHub, capacity: Int) {
        self.hub = hub
        self.capacity = max(1, capacity)
        let id = hub.subscribe(Received.name) { [weak self] codec, bytes, missed, connection in
            if connection.admits(Received.name, isSensitive: Received.isSensitive) { self?.received(codec, bytes, missed) }
        } end: { [weak self] in
            self?.end()
        }
        state.withLock { state in
            state.id = id
            state.isOver = id == nil
        }
    }

    deinit { if let id = state.withLock({ $0.id }) { hub.unsubscribe(Received.name, id) } }

    /// An event that is no such value counts as missed.
    private func received(_ codec: Codec, _ bytes: borrowing RawSpan, _ missed: UInt32) {
        let event = codec == Received.codec ? try? Received(decoding: bytes) : nil
        let waiters = state.withLock { state -> Waiters<Void> in
            state.missed += Int(missed)
            guard let event else {
                state.missed += 1
                return state.waiters.takeAll()
            }
            if state.events.count >= capacity, state.events.popFirst() != nil { state.missed += 1 }
            state.events.append(event)
            return state.waiters.takeAll()
        }
        waiters.resume()
    }

    private func end() {
        let waiters = state.withLock { state -> Waiters<Void> in
            state.isOver = true
            return state.waiters.takeAll()
        }
        waiters.resume()
    }

    private enum Next {
        case delivery(EventDelivery<Received>)
        case end, wait
    }

    func next() async -> EventDelivery<Received>? {
        while true {
            let next = state.withLock { state -> Next in
                if state.missed > 0 {
                    defer { state.missed = 0 }
                    return .delivery(.lagged(state.missed))
                }
                if let event = state.events.popFirst() { return .delivery(.event(event)) }
                return state.isOver ? .end : .wait
            }
            switch next {
            case .delivery(let delivery): return delivery
            case .end: return nil
            case .wait:
                if Task.isCancelled { return nil }
                await wait()
            }
        }
    }

    private func wait() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isReady = state.withLock { state in
                    if !state.events.isEmpty || state.missed > 0 || state.isOver || Task.isCancelled { return true }
                    state.waiters.add(continuation)
                    return false
                }
                if isReady { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiters.takeAll() }.resume()
        }
    }
}
