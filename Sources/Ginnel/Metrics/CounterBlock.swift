// A row of counters for each loop, so that loops that count at the same time do not fight over a cache line. Adding takes no lock; a total is the sum over the loops.

internal import Synchronization

/// `@unchecked Sendable`: the cells are atomic, and the pointer to them is constant while this lives.
final class CounterBlock: @unchecked Sendable {
    private let cells: UnsafeMutablePointer<Atomic<UInt64>>
    private let count: Int
    private let lanes: Int
    /// Cells from one lane to the next: whole cache lines, of 128 bytes on the processors with the longest ones.
    private let stride: Int

    /// `count` counters for each of `lanes` loops, all zero.
    init(count: Int, lanes: Int) {
        self.count = count
        self.lanes = max(1, lanes)
        stride = (count + 15) / 16 * 16
        let bytes = UnsafeMutableRawPointer.allocate(byteCount: self.lanes * stride * 8, alignment: 128)
        cells = bytes.bindMemory(to: Atomic<UInt64>.self, capacity: self.lanes * stride)
        for index in 0..<self.lanes * stride { (cells + index).initialize(to: Atomic(0)) }
    }

    deinit { UnsafeMutableRawPointer(cells).deallocate() }

    /// Any thread. `lane` is the loop's number, which costs nothing but speed when it is another's.
    func add(_ amount: UInt64, to index: Int, lane: Int) { cells[lane * stride + index].wrappingAdd(amount, ordering: .relaxed) }

    func total(_ index: Int) -> UInt64 { (0..<lanes).reduce(0) { $0 &+ cells[$1 * stride + index].load(ordering: .relaxed) } }

    func totals(_ range: Range<Int>) -> [UInt64] { range.map { total($0) } }
}
