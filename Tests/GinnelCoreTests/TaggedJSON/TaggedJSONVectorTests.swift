// The golden bytes of docs/formats/tagged-json.md, for both roles and in both directions.

import Foundation
import GinnelCore
import GinnelTesting
import Testing

struct TaggedJSONVector: CustomTestStringConvertible {
    let bytes: [UInt8]
    let text: String
    var testDescription: String { text }

    /// The lines of the page that begin with four bytes of length.
    static let all: [TaggedJSONVector] = {
        let page = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../../docs/formats/tagged-json.md")
        let lines = (try? String(contentsOf: page, encoding: .utf8))?.split(separator: "\n") ?? []
        return lines.compactMap { line in
            let parts = line.split(separator: " ", maxSplits: 2)
            guard parts.count == 3, parts[0].count == 8, (parts[0] + parts[1]).allSatisfy(\.isHexDigit) else { return nil }
            return TaggedJSONVector(bytes: NativeVectors.bytes(String(parts[0] + parts[1])), text: parts[2].trimmingCharacters(in: .whitespaces))
        }
    }()

    var isEvent: Bool { text.hasPrefix(#"{"type":"event""#) }
    var isError: Bool { text.hasPrefix(#"{"type":"error""#) }
}

@Suite struct TaggedJSONVectorTests {
    @Test func `the page has its golden bytes, and they are their texts`() {
        #expect(TaggedJSONVector.all.count == 7)
        #expect(TaggedJSONVector.all.first?.bytes == NativeVectors.bytes("0f0000007b2274797065223a2270696e67227d"))
        for vector in TaggedJSONVector.all { #expect(vector.bytes == taggedFrame(vector.text)) }
    }

    @Test(arguments: TaggedJSONVector.all) func `a client writes them`(vector: TaggedJSONVector) {
        var client = TaggedJSONSide(.client)
        client.call(TaggedJSONSide.Caller("A"), vector.text)
        #expect(client.output() == vector.bytes)
    }

    @Test(arguments: TaggedJSONVector.all) func `a service reads them`(vector: TaggedJSONVector) {
        var service = TaggedJSONSide(.service)
        _ = service.taken()
        service.receive(vector.bytes)
        let log = service.taken()
        #expect(log.count == 1 && log[0].hasPrefix("request ") && log[0].hasSuffix(vector.text))
    }

    @Test(arguments: TaggedJSONVector.all) func `a service writes them`(vector: TaggedJSONVector) {
        var service = TaggedJSONSide(.service)
        if vector.isEvent {
            service.submit(.event(name: "event", codec: .json, payload: Array(vector.text.utf8), lane: .normal))
        } else {
            service.receive(taggedFrame(#"{"type":"ping"}"#))
            vector.isError ? service.fail(Failure(.notFoundHere, "Window not found")) : service.reply(vector.text)
        }
        #expect(service.output() == vector.bytes)
    }

    @Test(arguments: TaggedJSONVector.all) func `a client reads them`(vector: TaggedJSONVector) {
        var client = TaggedJSONSide(.client) { $0.pushTypes = ["event"] }
        client.call(TaggedJSONSide.Caller("A"), #"{"type":"ping"}"#)
        _ = (client.output(), client.taken())
        client.receive(vector.bytes)
        let expected = vector.isEvent ? "event event \(vector.text)" : vector.isError ? "failed A 1000: Window not found" : "replied A \(vector.text)"
        #expect(client.taken() == [expected])
    }
}

extension FailureCode {
    /// Of the application's own; it does not cross this wire.
    fileprivate static let notFoundHere = FailureCode(rawValue: 1404)
}
