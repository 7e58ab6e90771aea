// First in, first out, with constant amortised cost; memory follows what waits.

package struct Queue<Element: Sendable>: Sendable {
    private var storage: [Element?] = []
    private var head = 0

    package init() {}

    package var isEmpty: Bool { head == storage.count }
    package var count: Int { storage.count - head }
    package var first: Element? { isEmpty ? nil : storage[head] }
    package var last: Element? { isEmpty ? nil : storage[storage.count - 1] }

    package mutating func append(_ element: Element) {
        storage.append(element)
    }

    package mutating func popFirst() -> Element? {
        guard head < storage.count else { return nil }
        let element = storage[head].take()
        head += 1
        if head == storage.count {
            head = 0
            storage.removeAll(keepingCapacity: storage.capacity <= 64)
        } else if head >= 64, head * 2 >= storage.count {
            storage.removeFirst(head)
            head = 0
        }
        return element
    }

    /// Removes every element for which `body` says so, in order.
    package mutating func removeAll(where body: (Element) -> Bool) {
        var kept: [Element?] = []
        for case let element? in storage[head...] where !body(element) { kept.append(element) }
        storage = kept
        head = 0
    }

    package func first(where body: (Element) -> Bool) -> Element? {
        for case let element? in storage[head...] where body(element) { return element }
        return nil
    }

    package func forEach(_ body: (Element) -> Void) {
        for case let element? in storage[head...] { body(element) }
    }
}
