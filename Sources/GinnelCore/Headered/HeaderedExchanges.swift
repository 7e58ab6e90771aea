// Requests in flight by their message ids: 64 bits that their sender chose, where the session and the program count in 32.

struct HeaderedExchanges: Sendable {
    struct Exchange: Sendable {
        let id: UInt64
        /// Of the request.
        let type: HeaderedType
        /// The number of the next chunk of a streamed answer; `nil` before the first.
        var sequence: UInt32?
        /// Bytes of items that the program has not taken yet.
        var untaken = 0
    }

    private var exchanges: [UInt32: Exchange] = [:]
    private var numbers: [UInt64: UInt32] = [:]

    /// Bytes of items of all of them that the program has not taken yet.
    private(set) var untaken = 0

    var count: Int { exchanges.count }

    subscript(number: UInt32) -> Exchange? { exchanges[number] }

    func number(of id: UInt64) -> UInt32? { numbers[id] }

    mutating func begin(_ number: UInt32, _ id: UInt64, _ type: HeaderedType) {
        exchanges[number] = Exchange(id: id, type: type)
        numbers[id] = number
    }

    @discardableResult
    mutating func end(_ number: UInt32) -> Exchange? {
        guard let exchange = exchanges.removeValue(forKey: number) else { return nil }
        numbers[exchange.id] = nil
        untaken -= exchange.untaken
        return exchange
    }

    mutating func setNextSequence(_ sequence: UInt32, of number: UInt32) { exchanges[number]?.sequence = sequence }

    /// An item has been given to the program.
    mutating func noteItem(_ bytes: Int, of number: UInt32) {
        guard exchanges[number] != nil else { return }
        exchanges[number]?.untaken += bytes
        untaken += bytes
    }

    /// The program has taken an item.
    mutating func noteTaken(_ bytes: Int, of number: UInt32) {
        guard let exchange = exchanges[number] else { return }
        let count = min(bytes, exchange.untaken)
        exchanges[number]?.untaken -= count
        untaken -= count
    }

    mutating func removeAll() { self = HeaderedExchanges() }
}
