// What the simulated programs say to each other. Each value begins with numbers that name it in the books; the rest is there to be long.

import Ginnel
import GinnelTesting

/// A value written as numbers of four bytes and a number of bytes without meaning.
protocol Packed: Message {
    static var numbers: Int { get }
    var packed: [UInt32] { get }
    var padding: Int { get }
    init(packed: [UInt32], padding: Int)
}

extension Packed {
    static var codec: Codec { .raw }
    var padding: Int { 0 }

    func encoded() -> [UInt8] { packed.flatMap { WireFrame.u32($0) } + [UInt8](repeating: 7, count: padding) }

    init(decoding bytes: borrowing RawSpan) throws {
        let count = bytes.byteCount
        guard count >= Self.numbers * 4 else { throw CallError(.invalidRequest, "\(count) bytes are too few") }
        var all: [UInt8] = []
        for index in 0..<Self.numbers * 4 { all.append(bytes.unsafeLoadUnaligned(fromByteOffset: index, as: UInt8.self)) }
        let numbers = (0..<Self.numbers).map { WireFrame.u32(all[($0 * 4)..<($0 * 4 + 4)]) }
        self.init(packed: numbers, padding: count - Self.numbers * 4)
    }
}

/// A message of a client.
struct Parcel: Event, Packed {
    static let name = "parcel"
    static let numbers = 2
    var key: Key
    var padding: Int

    var packed: [UInt32] { key.packed }

    init(_ key: Key, padding: Int) { (self.key, self.padding) = (key, padding) }
    init(packed: [UInt32], padding: Int) { self.init(Key(packed), padding: padding) }
}

/// A message of the service.
struct Letter: Event, Packed {
    static let name = "letter"
    static let numbers = 2
    var key: Key

    var packed: [UInt32] { key.packed }

    init(_ key: Key) { self.key = key }
    init(packed: [UInt32], padding: Int) { self.init(Key(packed)) }
}

/// Who has made something, and the how manieth it is of its kind.
struct Key: Hashable, Codable, Sendable, CustomStringConvertible {
    /// The number of a client, or 100 and the number of a start of the service.
    let maker: Int
    let number: Int

    init(_ maker: Int, _ number: Int) { (self.maker, self.number) = (maker, number) }
    init(_ packed: [UInt32]) { self.init(Int(packed[0]), Int(packed[1])) }

    var packed: [UInt32] { [UInt32(maker), UInt32(number)] }
    var description: String { "\(number) of \(maker < 100 ? "client \(maker)" : "service \(maker - 100)")" }
}

struct Answer: Packed {
    static let numbers = 2
    var key: Key
    var packed: [UInt32] { key.packed }
    init(_ key: Key) { self.key = key }
    init(packed: [UInt32], padding: Int) { self.init(Key(packed)) }
}

/// A call that must not be made twice.
struct Ask: Request, Packed {
    typealias Response = Answer
    static let method = "ask"
    static let numbers = 2
    var key: Key
    var packed: [UInt32] { key.packed }
    init(_ key: Key) { self.key = key }
    init(packed: [UInt32], padding: Int) { self.init(Key(packed)) }
}

/// A call that may.
struct Look: Request, Packed {
    typealias Response = Answer
    static let method = "look"
    static let isIdempotent = true
    static let numbers = 2
    var key: Key
    var packed: [UInt32] { key.packed }
    init(_ key: Key) { self.key = key }
    init(packed: [UInt32], padding: Int) { self.init(Key(packed)) }
}

/// A call that nobody serves.
struct Guess: Request, Packed {
    typealias Response = Answer
    static let method = "guess"
    static let numbers = 2
    var key: Key
    var packed: [UInt32] { key.packed }
    init(_ key: Key) { self.key = key }
    init(packed: [UInt32], padding: Int) { self.init(Key(packed)) }
}

/// A number of a stream.
struct Tick: Packed {
    static let numbers = 1
    var value: Int
    var packed: [UInt32] { [UInt32(value)] }
    init(_ value: Int) { self.value = value }
    init(packed: [UInt32], padding: Int) { self.init(Int(packed[0])) }
}

/// The numbers from one to below another, on whatever service.
struct Count: ResumableStreamRequest, Packed {
    typealias Item = Tick
    static let method = "count"
    static let survivesRestart = true
    static let numbers = 5
    var key: Key
    var first: Int
    var end: Int
    /// How many it leaves out when it is taken up again: a fault.
    var skip: Int

    var packed: [UInt32] { key.packed + [UInt32(first), UInt32(end), UInt32(skip)] }

    init(_ key: Key, _ first: Int, _ end: Int, skip: Int) { (self.key, self.first, self.end, self.skip) = (key, first, end, skip) }
    init(packed: [UInt32], padding: Int) { self.init(Key(packed), Int(packed[2]), Int(packed[3]), skip: Int(packed[4])) }

    func resumed(after item: Tick) -> Count { Count(key, item.value + 1 + skip, end, skip: skip) }
}

/// The same, with the service that began alone.
struct CountHere: ResumableStreamRequest, Packed {
    typealias Item = Tick
    static let method = "count_here"
    static let numbers = 5
    var count: Count

    var packed: [UInt32] { count.packed }

    init(_ count: Count) { self.count = count }
    init(packed: [UInt32], padding: Int) { self.init(Count(packed: packed, padding: padding)) }

    func resumed(after item: Tick) -> CountHere { CountHere(count.resumed(after: item)) }
}

/// Numbers to be added up.
struct Sum: UploadRequest, Packed {
    typealias Upload = Tick
    typealias Response = Tick
    static let method = "sum"
    static let numbers = 2
    var key: Key
    var packed: [UInt32] { key.packed }
    init(_ key: Key) { self.key = key }
    init(packed: [UInt32], padding: Int) { self.init(Key(packed)) }
}
