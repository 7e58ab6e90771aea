// The rules for the values of requests and for paths, with the sentences that clients know.

import Foundation
import Ginnel
import RecorderMessages
import Testing

@testable import RecorderService

@Suite struct RuleTests {
    private static func reason(_ check: () throws(InvalidRequest) -> Void) -> String? {
        do throws(InvalidRequest) {
            try check()
            return nil
        } catch {
            return error.description
        }
    }

    @Test(arguments: ["DP-1", "HDMI_A.1", #"\\.\DISPLAY1"#, "a/b", String(repeating: "x", count: 64)])
    func `a monitor's id may be what systems call them`(id: String) {
        #expect(Self.reason { () throws(InvalidRequest) in try Rules.check(monitor: id) } == nil)
    }

    @Test(arguments: ["", "DP 1", "DP;1", "DP$1", "DP\u{0}1", "é", "a\nb", String(repeating: "x", count: 65)])
    func `other ids of monitors are refused with the id`(id: String) {
        #expect(Self.reason { () throws(InvalidRequest) in try Rules.check(monitor: id) } == "Invalid request: Invalid monitor ID: \(id)")
    }

    @Test(arguments: ["alsa_output.pci-0000:00", "{0.0.1.00000000}.{a|b}#1", "42", String(repeating: "x", count: 256)])
    func `a source's id may be what systems call them`(id: String) {
        #expect(Self.reason { () throws(InvalidRequest) in try Rules.check(source: id) } == nil)
    }

    @Test(arguments: ["", "a/b", #"a\b"#, "a b", "$(x)", String(repeating: "x", count: 257)])
    func `other ids of sources are refused with the id`(id: String) {
        #expect(Self.reason { () throws(InvalidRequest) in try Rules.check(source: id) } == "Invalid request: Invalid source ID: \(id)")
    }

    @Test func `an id that is far too long is not repeated whole`() throws {
        let reason = try #require(Self.reason { () throws(InvalidRequest) in try Rules.check(monitor: String(repeating: "x", count: 60_000)) })
        #expect(reason.count < 400)
    }

    @Test func `sizes are from 1 to 16,384`() {
        func check(_ width: UInt32, _ height: UInt32) -> String? { Self.reason { () throws(InvalidRequest) in try Rules.check(width: width, height: height) } }
        #expect(check(1, 1) == nil)
        #expect(check(16_384, 16_384) == nil)
        #expect(check(0, 1) == "Invalid request: width out of range: 0 (max 16384)")
        #expect(check(1, 0) == "Invalid request: height out of range: 0 (max 16384)")
        #expect(check(16_385, 1) == "Invalid request: width out of range: 16385 (max 16384)")
        #expect(check(.max, .max) == "Invalid request: width out of range: 4294967295 (max 16384)")
    }

    @Test func `coordinates are from -65,535 to 65,535`() {
        func check(_ x: Int32, _ y: Int32) -> String? { Self.reason { () throws(InvalidRequest) in try Rules.check(x: x, y: y) } }
        #expect(check(-65_535, 65_535) == nil)
        #expect(check(65_536, 0) == "Invalid request: x out of range: 65536")
        #expect(check(0, -65_536) == "Invalid request: y out of range: -65536")
        #expect(check(.min, .max) == "Invalid request: x out of range: -2147483648")
    }

    @Test func `a window's handle is not negative`() {
        #expect(Self.reason { () throws(InvalidRequest) in try StartWindowCapture(windowHandle: 0).check() } == nil)
        #expect(Self.reason { () throws(InvalidRequest) in try ShowWindowHighlight(windowHandle: -1).check() } == "Invalid request: Invalid window handle: -1")
    }

    @Test func `of a highlight only the place is checked, as ever`() {
        #expect(Self.reason { () throws(InvalidRequest) in try ShowDisplayHighlight(x: 0, y: 0, width: -5, height: .max).check() } == nil)
        #expect(Self.reason { () throws(InvalidRequest) in try ShowDisplayHighlight(x: 0, y: 70_000, width: 1, height: 1).check() } == "Invalid request: y out of range: 70000")
    }

    @Test func `a token that is none is refused without being repeated`() {
        #expect(Self.reason { () throws(InvalidRequest) in try StoreToken(token: "secret").check() } == "Invalid request: Invalid token: 64 hexadecimal digits are due")
        #expect(Self.reason { () throws(InvalidRequest) in try StoreToken(token: ApprovalToken.random()).check() } == nil)
    }

    // MARK: Paths

    @Test(arguments: [
        ("Videos", "not absolute"), ("", "not absolute"), ("/srv/me/../root", "\"..\""), ("/srv/me/Videos/..", "\"..\""), ("/srv/me/a\u{0}b", "NUL"),
        ("/etc", "neither"), ("/srv/mean", "neither"), ("/srv", "neither"), ("/" + String(repeating: "x", count: 4096), "longer"),
    ])
    func `a directory for recordings that leads astray is refused`(path: String, reason: String) {
        #expect(throws: RecorderError.self) { try OutputDirectory(checking: path, home: "/srv/me", temporary: "/scratch") }
        do {
            _ = try OutputDirectory(checking: path, home: "/srv/me", temporary: "/scratch")
        } catch {
            #expect(error.description.contains(reason), "\(error)")
        }
    }

    @Test(arguments: ["/srv/me", "/srv/me/Videos", "/srv/me/a..b", "/scratch/x", "/tmp/x"])
    func `a directory in the home or the temporary directory is taken`(path: String) throws {
        #expect(try OutputDirectory(checking: path, home: "/srv/me", temporary: "/scratch").path == path)
    }
}
