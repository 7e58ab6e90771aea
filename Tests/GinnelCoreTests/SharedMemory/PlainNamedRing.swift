// The other system's ring over plain memory: what the index arithmetic says is carried out to the letter, between two canaries.

import Foundation
import GinnelCore

final class PlainNamedRing {
    let geometry: NamedRingGeometry
    var producer: NamedRingProducer
    var consumer: NamedRingConsumer
    private let memory: UnsafeMutableRawBufferPointer
    private static let canary: UInt8 = 0xC5

    init(capacity: Int) throws {
        geometry = NamedRingGeometry(capacity: capacity)!
        producer = try NamedRingProducer(geometry, written: 0, read: 0)
        consumer = try NamedRingConsumer(geometry, written: 0, read: 0)
        memory = .allocate(byteCount: 3 * capacity, alignment: 64)
        memory.initializeMemory(as: UInt8.self, repeating: Self.canary)
    }

    deinit { memory.deallocate() }

    /// An empty ring that stands at `position`.
    func begin(at position: Int) throws {
        producer = try NamedRingProducer(geometry, written: UInt64(position), read: UInt64(position))
        consumer = try NamedRingConsumer(geometry, written: UInt64(position), read: UInt64(position))
    }

    /// False while there is no place.
    func write(_ payload: UnsafeRawBufferPointer) throws -> Bool {
        guard let place = producer.place(for: payload.count) else { return false }
        withUnsafeBytes(of: UInt32(payload.count).littleEndian) { put($0, place.length) }
        put(payload, place.payload)
        _ = try consumer.noteWritten(producer.publish(place))
        return true
    }

    /// Takes the next record and compares it; `nil` when there is none.
    func readEquals(_ payload: UnsafeRawBufferPointer) throws -> Bool? {
        guard !consumer.isEmpty else { return nil }
        let length = consumer.length
        var word: UInt32 = 0
        withUnsafeMutableBytes(of: &word) { word in
            for index in 0..<length.count { word[index] = data[index < length.beforeEnd ? length.offset + index : index - length.beforeEnd] }
        }
        let record = try consumer.look(UInt32(littleEndian: word))
        _ = try producer.noteRead(consumer.giveBack(record))
        let run = record.payload
        return run.count == payload.count && memcmp(data.baseAddress! + run.offset, payload.baseAddress!, run.beforeEnd) == 0
            && memcmp(data.baseAddress!, payload.baseAddress! + run.beforeEnd, run.fromStart) == 0
    }

    private var data: UnsafeMutableRawBufferPointer { UnsafeMutableRawBufferPointer(rebasing: memory[geometry.capacity..<2 * geometry.capacity]) }

    private func put(_ bytes: UnsafeRawBufferPointer, _ run: NamedRingRun) {
        let start = memory.baseAddress! + geometry.capacity
        memcpy(start + run.offset, bytes.baseAddress!, run.beforeEnd)
        memcpy(start, bytes.baseAddress! + run.beforeEnd, run.fromStart)
    }

    /// Whether nothing before or behind the data was touched.
    var canariesLive: Bool {
        let capacity = geometry.capacity
        return memory[..<capacity].allSatisfy { $0 == Self.canary } && memory[(2 * capacity)...].allSatisfy { $0 == Self.canary }
    }
}
