// Shared memory whose other side is a fuzzer's script: it writes what it likes into both rings, between and while our side reads and writes. Our side must end in bytes, in nothing to do, or in a
// violation, and never touch a byte outside.
//
// A script is played twice: against the ends of two rings in ordinary memory, where the address sanitizer sees each step outside, and against a channel on a real segment.

import GinnelCore
import GinnelTransport
import Synchronization

enum FuzzedSegment {
    private static let steps = 400

    static func problem(with bytes: [UInt8]) -> String? {
        var script = FuzzedInput(bytes)
        guard let geometry = RingGeometry(capacity: 64 << script.next(below: 4)) else { return "no ring" }
        return problemOfEnds(geometry, script) ?? problemOfChannel(geometry, script)
    }

    // MARK: Reader and writer

    private static func problemOfEnds(_ geometry: RingGeometry, _ script: FuzzedInput) -> String? {
        let bytes = RingGeometry.controlBytes + geometry.capacity
        let bases = (0..<2).map { _ in UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64) }
        defer { for base in bases { base.deallocate() } }
        for base in bases { base.initializeMemory(as: UInt8.self, repeating: 0, count: bytes) }
        let peer = FuzzedPeer(incoming: bases[0], outgoing: bases[1], geometry)
        var reader: RingReader? = RingReader(RingMemory(at: bases[0]), RingConsumer(geometry))
        var writer: RingWriter? = RingWriter(RingMemory(at: bases[1]), RingProducer(geometry))
        var held: RingRecord?
        var script = script
        for _ in 0..<steps where !script.isEmpty {
            do {
                switch script.next(below: 10) {
                case 0...4: peer.lie(&script)
                case 5, 6:
                    if let record = held.take() { _ = reader?.giveBack(record) } else { held = try reader?.next() }
                    if let held, let problem = Self.problem(of: held, geometry) { return problem }
                    if let held, let reader { checkRead(reader.bytes(of: held)) }
                case 7:
                    _ = try reader?.declareWait()
                    _ = try writer?.declareWait()
                case 8:
                    let count = Int(script.next()) * 4
                    guard let place = try writer?.reserve(count) else { continue }
                    if place.record.count != count { return "room for \(place.record.count) bytes where \(count) were asked for" }
                    if let problem = Self.problem(of: place.record, geometry) { return problem }
                    writer?.buffer(of: place).initializeMemory(as: UInt8.self, repeating: 0xEE)
                    if script.next() & 1 == 0 { _ = writer?.publish(place.shortened(to: Int(script.next()))) }
                default:
                    let bytes = [UInt8](repeating: 0xDD, count: 1 + Int(script.next()) * 4)
                    if let count = try bytes.withUnsafeBytes({ try writer?.write($0).count }), !(0...bytes.count).contains(count) {
                        return "\(count) bytes of \(bytes.count) written"
                    }
                }
            } catch is RingViolation {
                // Neither end is used after it has seen one.
                (reader, writer, held) = (nil, nil, nil)
            } catch {
                return "\(error)"
            }
        }
        return nil
    }

    private static func problem(of record: RingRecord, _ geometry: RingGeometry) -> String? {
        let isInside = record.count >= 0 && record.count <= geometry.longestPayload && record.offset % 8 == 4 && record.offset + record.count <= geometry.capacity
        return isInside ? nil : "a record of \(record.count) bytes at \(record.offset) in \(geometry.capacity)"
    }

    private static func checkRead(_ bytes: UnsafeRawBufferPointer) {
        withUnsafeTemporaryAllocation(byteCount: max(1, bytes.count), alignment: 1) { $0.copyMemory(from: bytes) }
    }

    // MARK: A channel

    private static func problemOfChannel(_ geometry: RingGeometry, _ script: FuzzedInput) -> String? {
        guard let (channel, other) = try? SharedMemoryChannel.pair(geometry), let memory = other.lendLink()?.memory else { return nil }
        defer {
            channel.abort()
            other.abort()
        }
        let outgoing = memory.baseAddress!
        let incoming = outgoing + geometry.stride
        let rest = RingGeometry.controlBytes + geometry.capacity..<geometry.stride
        for ring in [outgoing, incoming] { for at in rest { ring.storeBytes(of: 0xA5, toByteOffset: at, as: UInt8.self) } }
        let peer = FuzzedPeer(incoming: incoming, outgoing: outgoing, geometry)
        var script = script
        var (reads, writes) = (true, true)
        for _ in 0..<steps where !script.isEmpty {
            switch script.next(below: 10) {
            case 0...4: peer.lie(&script)
            case 5 where reads, 6 where reads:
                var bytes = [UInt8](repeating: 0, count: 1 + Int(script.next()))
                switch bytes.withUnsafeMutableBytes({ channel.read(into: $0) }) {
                case .bytes(let count, _): if !(1...bytes.count).contains(count) { return "a read of \(count) bytes into \(bytes.count)" }
                case .wouldBlock: break
                case .violated: reads = false
                case let outcome: return "a read that says \(outcome)"
                }
            case 7:
                _ = channel.hasNews
                _ = channel.declareSleep()
            case 8 where writes, 9 where writes:
                let bytes = [UInt8](repeating: 0xDD, count: 1 + Int(script.next()) * 4)
                switch bytes.withUnsafeBytes({ channel.write($0) }) {
                case .took(let count): if !(1...bytes.count).contains(count) { return "a write of \(count) bytes of \(bytes.count)" }
                case .wouldBlock: break
                case .violated: writes = false
                case let outcome: return "a write that says \(outcome)"
                }
            default: break
            }
        }
        for ring in [outgoing, incoming] { for at in rest where ring.load(fromByteOffset: at, as: UInt8.self) != 0xA5 { return "byte \(at) of a ring's stride was written" } }
        return nil
    }
}

/// The other side of two rings, which keeps to nothing.
private struct FuzzedPeer {
    private let incoming: UnsafeMutableRawPointer
    private let outgoing: UnsafeMutableRawPointer
    private let geometry: RingGeometry

    /// As seen from our side: it reads from `incoming`.
    init(incoming: UnsafeMutableRawPointer, outgoing: UnsafeMutableRawPointer, _ geometry: RingGeometry) {
        self.incoming = incoming
        self.outgoing = outgoing
        self.geometry = geometry
    }

    /// One thing written into the memory: what could be true, what is nearly true, and what is not.
    func lie(_ script: inout FuzzedInput) {
        let (input, output) = (RingMemory(at: incoming), RingMemory(at: outgoing))
        switch script.next(below: 8) {
        case 0, 1: input.produced.pointee.store(input.consumed.pointee.load(ordering: .relaxed) &+ UInt64(script.next()) &* 8, ordering: .relaxed)
        case 2: output.consumed.pointee.store(output.produced.pointee.load(ordering: .relaxed) &- UInt64(script.next()) &* 8, ordering: .relaxed)
        case 3:
            let counter = [input.produced, input.consumed, output.produced, output.consumed][script.next(below: 4)]
            counter.pointee.store(number(&script), ordering: .relaxed)
        case 4:
            let flag = [input.consumerWaits, input.producerWaits, output.consumerWaits, output.producerWaits][script.next(below: 4)]
            flag.pointee.store(UInt32(script.next()), ordering: .relaxed)
        case 5: (script.next() & 1 == 0 ? incoming : outgoing).storeBytes(of: number(&script), toByteOffset: script.next(below: 3) * 8, as: UInt64.self)
        default:
            // Where lengths stand, and anywhere.
            let word = UInt32(truncatingIfNeeded: number(&script))
            input.data.storeBytes(of: word.littleEndian, toByteOffset: Int(script.next()) * 4 % geometry.capacity, as: UInt32.self)
        }
    }

    /// Small ones, those near the end of the range, and any.
    private func number(_ script: inout FuzzedInput) -> UInt64 {
        switch script.next(below: 4) {
        case 0: UInt64(script.next())
        case 1: UInt64.max - UInt64(script.next())
        case 2: UInt64(script.next()) * 8
        default: script.bytes(8).reduce(0) { $0 << 8 | UInt64($1) }
        }
    }
}
