// A ring over plain memory: what the index arithmetic says is carried out to the letter, between two canaries wide enough for whatever it may say wrongly.

import Foundation
import GinnelCore

final class PlainRing {
    enum Read: Equatable {
        case nothing
        /// Passed over bytes up to the end of the data.
        case padding(Int)
        /// A payload, by its offset in the data.
        case payload(offset: Int, count: Int)
    }

    let geometry: RingGeometry
    var producer: RingProducer
    var consumer: RingConsumer
    private let memory: UnsafeMutableRawBufferPointer
    private static let canary: UInt8 = 0xC5

    init(capacity: Int) {
        geometry = RingGeometry(capacity: capacity)!
        producer = RingProducer(geometry)
        consumer = RingConsumer(geometry)
        memory = .allocate(byteCount: 3 * capacity, alignment: 64)
        memory.initializeMemory(as: UInt8.self, repeating: Self.canary)
    }

    deinit { memory.deallocate() }

    private var data: UnsafeMutableRawPointer { memory.baseAddress! + geometry.capacity }

    /// An empty ring, both of whose counters stand at `start`.
    func begin(at start: UInt64) {
        producer = RingProducer(geometry, start: start)
        consumer = RingConsumer(geometry, start: start)
    }

    /// Copies a record to its place and lets the consumer see it; `nil` when there is no place.
    @discardableResult
    func write(_ payload: UnsafeRawBufferPointer) throws -> RingProducer.Place? {
        guard let place = producer.place(for: payload.count) else { return nil }
        try put(payload, at: place)
        return place
    }

    /// The same for as much of `payload` as finds room.
    func write(beginningOf payload: UnsafeRawBufferPointer) throws -> RingProducer.Place? {
        guard let place = producer.place(upTo: payload.count) else { return nil }
        try put(UnsafeRawBufferPointer(rebasing: payload[..<place.record.count]), at: place)
        return place
    }

    private func put(_ payload: UnsafeRawBufferPointer, at place: RingProducer.Place) throws {
        if let padding = place.padding { data.storeBytes(of: RingGeometry.padding, toByteOffset: padding, as: UInt32.self) }
        data.storeBytes(of: UInt32(place.record.count), toByteOffset: place.record.offset - 4, as: UInt32.self)
        if let source = payload.baseAddress { memcpy(data + place.record.offset, source, payload.count) }
        _ = try consumer.noteProduced(producer.publish(place))
    }

    /// Takes what comes next and gives it back; the bytes stay where they are until something is written.
    func read() throws -> Read {
        guard !consumer.isEmpty else { return .nothing }
        switch try consumer.look(data.load(fromByteOffset: consumer.lengthOffset, as: UInt32.self)) {
        case .padding(let end):
            let count = Int(end &- consumer.consumed)
            _ = try producer.noteConsumed(consumer.giveBack(to: end))
            return .padding(count)
        case .record(let record):
            _ = try producer.noteConsumed(consumer.giveBack(to: record.end))
            return .payload(offset: record.offset, count: record.count)
        }
    }

    func holds(_ payload: UnsafeRawBufferPointer, at offset: Int) -> Bool {
        guard let source = payload.baseAddress else { return true }
        return memcmp(data + offset, source, payload.count) == 0
    }

    /// Whether nothing before or behind the data was touched.
    var canariesLive: Bool {
        let capacity = geometry.capacity
        return memory[..<capacity].allSatisfy { $0 == Self.canary } && memory[(2 * capacity)...].allSatisfy { $0 == Self.canary }
    }
}

/// Counters from which a ring of that capacity begins at `offset`: early ones, and ones that pass 2⁶⁴ before the data ends.
func starts(_ offset: Int, capacity: Int) -> [UInt64] { [UInt64(offset), 0 &- UInt64(capacity) &+ UInt64(offset)] }
