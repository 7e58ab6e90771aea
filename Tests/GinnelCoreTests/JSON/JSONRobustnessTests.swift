import GinnelCore
import Testing

@Suite struct JSONRobustnessTests {
    private static let samples: [[UInt8]] = [
        #"{"type":"selection","source_id":"DP-1","geometry":{"x":-10,"y":2.5e3,"width":1920},"flags":[true,false,null]}"#,
        #"{"a":"\u00e9\ud83d\ude00\n\\","é😀":[1e308,-0,18446744073709551615],"":{}, "b" : [ ] }"#,
        "[[[[]]],{\"k\":[{},{\"k\":0}]},\"\u{10FFFF}\u{800}\",0.1,1E-2]",
    ].map { Array($0.utf8) }

    @Test(arguments: samples)
    func `a text cut short anywhere is an error`(sample: [UInt8]) throws {
        for end in 0..<sample.count {
            #expect(throws: JSONError.self) { try JSON.validate(Array(sample[..<end])) }
        }
        try JSON.validate(sample)
    }

    @Test(arguments: samples)
    func `a text that starts late is valid or an error`(sample: [UInt8]) {
        for start in 0..<sample.count { Self.examine(Array(sample[start...])) }
    }

    @Test func `20,000 mutations are valid or an error, and nothing traps`() {
        var random = SeededRandom(seed: 8259)
        var accepted = 0
        for _ in 0..<20_000 {
            var bytes = Self.samples[Int.random(in: 0..<Self.samples.count, using: &random)]
            for _ in 0..<Int.random(in: 1...4, using: &random) { Self.mutate(&bytes, using: &random) }
            if Self.examine(bytes) { accepted += 1 }
        }
        // Both outcomes occur, so the mutations reach past the first check.
        #expect(accepted > 200)
        #expect(accepted < 19_800)
    }

    /// Whether the bytes are valid; if so, everything that is found must be readable, and if not, the error must lie inside.
    @discardableResult
    private static func examine(_ bytes: [UInt8]) -> Bool {
        do throws(JSONError) {
            let value = try JSON.validate(bytes)
            #expect(String(validating: bytes, as: UTF8.self) != nil)
            guard value.kind == .object else { return true }
            let object = try JSONObject(bytes, members: ["type", "a", "geometry"])
            for name in ["type", "a", "geometry"] {
                guard let member = object[name] else { continue }
                #expect((member.string(in: bytes) != nil) == (member.kind == .string))
                #expect(try JSON.validate(Array(bytes[member.range])).kind == member.kind)
            }
            return true
        } catch {
            #expect((0...bytes.count).contains(error.offset))
        }
        return false
    }

    private static func mutate(_ bytes: inout [UInt8], using random: inout SeededRandom) {
        let place = Int.random(in: 0..<max(1, bytes.count), using: &random)
        let tokens = Array("{}[]\",:\\u0d8e+-.19tfn \u{80}".utf8)
        switch Int.random(in: 0..<6, using: &random) {
        case 0 where !bytes.isEmpty: bytes[place] = UInt8.random(in: 0...255, using: &random)
        case 1 where !bytes.isEmpty: bytes[place] = tokens.randomElement(using: &random) ?? 0
        case 2: bytes.insert(tokens.randomElement(using: &random) ?? 0, at: min(place, bytes.count))
        case 3 where !bytes.isEmpty: bytes.remove(at: place)
        case 4 where !bytes.isEmpty: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        default:
            let end = min(bytes.count, place + Int.random(in: 0..<12, using: &random))
            bytes.insert(contentsOf: bytes[min(place, end)..<end], at: Int.random(in: 0...bytes.count, using: &random))
        }
    }
}
