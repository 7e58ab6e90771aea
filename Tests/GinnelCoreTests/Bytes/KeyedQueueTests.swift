// The queue from which elements can be taken back, against an array that does the same.

import Testing

@testable import GinnelCore

@Suite struct KeyedQueueTests {
    @Test func `it gives what was put in, in order, without what was taken back`() {
        var random = SeededRandom(seed: 36)
        var queue = KeyedQueue<Int, Int>()
        var model: [(key: Int?, element: Int)] = []
        for number in 0..<20_000 {
            switch Int.random(in: 0..<8, using: &random) {
            case 0...2:
                // Keys come again, also while something waits under them, and then are none.
                let key = Int.random(in: 0..<100, using: &random)
                queue.append(number, key: key)
                model.append((model.contains { $0.key == key } ? nil : key, number))
            case 3:
                queue.append(number)
                model.append((nil, number))
            case 4...5:
                let key = Int.random(in: 0..<100, using: &random)
                let index = model.firstIndex { $0.key == key }
                #expect(queue.remove(key) == index.map { model[$0].element })
                if let index { model.remove(at: index) }
            default:
                #expect(queue.popFirst() == (model.isEmpty ? nil : model.removeFirst().element))
            }
            #expect(queue.first == model.first?.element)
            #expect(queue.count == model.count && queue.isEmpty == model.isEmpty)
        }
        #expect(Set(queue.keys) == Set(model.compactMap(\.key)))
    }

    @Test(.timeLimit(.minutes(1))) func `of very many each is taken back at once, wherever it stands`() {
        var queue = KeyedQueue<Int, Int>()
        for number in 0..<200_000 { queue.append(number, key: number) }
        queue.append(-1)
        for number in (0..<200_000).reversed() { #expect(queue.remove(number) == number) }
        #expect(queue.count == 1 && queue.popFirst() == -1 && queue.isEmpty)
    }

    @Test func `what is put in and taken back behind one that stays leaves no memory behind`() {
        var queue = KeyedQueue<Int, [Int]>()
        queue.append([0])
        for number in 1...10_000 {
            queue.append([number], key: number)
            #expect(queue.remove(number) == [number])
            #expect(queue.placeCount <= 67)
        }
        #expect(queue.popFirst() == [0] && queue.placeCount == 0)
    }
}
