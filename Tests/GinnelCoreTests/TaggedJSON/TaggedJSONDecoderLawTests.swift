// However the bytes are cut, tagged JSON is understood in the same way: whole messages, bad ones, and what is left unfinished.

import GinnelTesting
import Testing

@testable import GinnelCore

@Suite struct TaggedJSONDecoderLawTests {
    private static func message(_ json: String) -> [UInt8] { WireFrame.u32(UInt32(json.utf8.count)) + Array(json.utf8) }

    /// What follows a good message: nothing, another, an unfinished one, and several that end the connection.
    private static let endings: [[UInt8]] = [
        [], message(#"{"type":"ping"}"#), WireFrame.u32(9) + Array("{".utf8), WireFrame.u32(65_537), WireFrame.u32(0), message("[]"), message(#"{"type":1}"#),
        message(#"{"type":"a","type":"b"}"#), message("{\"type\":\"\u{1}\"}"), WireFrame.u32(3) + [0xFF, 0xFE, 0x7D], message(#"{"type":"event","n":1}"#),
    ]

    private static func configuration(_ holdsEvents: Bool = false) -> TaggedJSONConfiguration {
        var configuration = TaggedJSONConfiguration()
        configuration.pushTypes = ["event"]
        configuration.holdsEvents = holdsEvents
        return configuration
    }

    @Test(arguments: endings) func `a service reads requests in whatever portions they come`(ending: [UInt8]) {
        for input in [ending, Self.message(#"{"type":"ping"}"#) + ending] {
            #expect(verifyDecoder(input) { OrderedSession(role: .service, Self.configuration()) } == nil)
        }
    }

    @Test(arguments: endings, [false, true]) func `a client reads replies and events in whatever portions they come`(ending: [UInt8], holdsEvents: Bool) {
        func prepare(_ end: inout MachineEnd) {
            _ = end.call("ping", Array(#"{"type":"ping"}"#.utf8), codec: .json)
            _ = end.takeAll()
        }
        let input = Self.message(#"{"type":"event","n":0}"#) + Self.message(#"{"type":"pong"}"#) + ending
        #expect(verifyDecoder(input, prepare: prepare) { OrderedSession(role: .client, Self.configuration(holdsEvents)) } == nil)
    }

    @Test func `a text of the longest length obeys the law`() {
        let text = #"{"type":"x","data":""#
        let longest = Self.message(text + String(repeating: "y", count: 65_536 - text.utf8.count - 2) + "\"}")
        #expect(verifyDecoder(longest, everyOffset: false) { OrderedSession(role: .service, Self.configuration()) } == nil)
    }
}
