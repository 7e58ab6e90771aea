// First in, first out, and elements that were put in under a key can be taken back by it, all at constant amortised cost.
//
// An element with a key lies in a table, and only its place in the queue. What is taken back leaves an empty place, which goes when it comes to the front or when there are more such places than
// others; so memory follows what waits.

package struct KeyedQueue<Key: Hashable & Sendable, Element: Sendable>: Sendable {
    private enum Place: Sendable {
        case element(Element)
        /// The number tells it from an earlier place of the same key that has become empty.
        case keyed(Key, UInt64)
    }

    private var places = Queue<Place>()
    private var table: [Key: (number: UInt64, element: Element)] = [:]
    private var last: UInt64 = 0
    package private(set) var count = 0

    package init() {}

    package var isEmpty: Bool { count == 0 }
    /// Empty ones included.
    var placeCount: Int { places.count }
    /// Of those that have one, in no order.
    package var keys: some Sequence<Key> { table.keys }
    package var first: Element? { places.first.flatMap { element(at: $0) } }

    /// `key`: by which it may be taken back. One under which something waits already counts as none.
    package mutating func append(_ element: Element, key: Key? = nil) {
        count += 1
        guard let key, table[key] == nil else { return places.append(.element(element)) }
        last += 1
        table[key] = (last, element)
        places.append(.keyed(key, last))
    }

    package mutating func popFirst() -> Element? {
        guard let place = places.popFirst(), let element = element(at: place) else { return nil }
        if case .keyed(let key, _) = place { table[key] = nil }
        count -= 1
        dropEmpty()
        return element
    }

    /// Takes back what waits under `key`; `nil` when nothing does.
    package mutating func remove(_ key: Key) -> Element? {
        guard let element = table.removeValue(forKey: key)?.element else { return nil }
        count -= 1
        dropEmpty()
        return element
    }

    private func element(at place: Place) -> Element? {
        switch place {
        case .element(let element): return element
        case .keyed(let key, let number):
            guard let found = table[key], found.number == number else { return nil }
            return found.element
        }
    }

    /// The first place is never an empty one.
    private mutating func dropEmpty() {
        while let place = places.first, element(at: place) == nil { _ = places.popFirst() }
        guard places.count > 2 * count + 64 else { return }
        var kept = Queue<Place>()
        places.forEach { if element(at: $0) != nil { kept.append($0) } }
        places = kept
    }
}
