// `ginnel call`: requests and answers of every kind, and errors with their status.

import Foundation
import Testing

@Suite struct CallTests {
    @Test func `bytes go out and come back as they are with --raw`() async throws {
        try await withEcho { path, _ in
            for method in ["echo", "echo_async"] {
                let text = try await Ginnel.run("call", path, method, "h\u{e9}llo", "--raw")
                #expect(text.status == 0 && text.output == "h\u{e9}llo")
            }
            let input = try await Ginnel.run("call", path, "echo", "-", "--raw", input: Array("from standard input\n".utf8))
            #expect(input.output == "from standard input\n")
            let nothing = try await Ginnel.run("call", path, "echo", "--raw")
            #expect(nothing.status == 0 && nothing.output == "")
        }
    }

    @Test func `an answer of bytes is printed as an object that says what they are`() async throws {
        try await withEcho { path, _ in
            // `echo` answers with raw bytes, whatever it was sent.
            let text = try #require(try await Ginnel.run("call", path, "echo", "{\"a\": \"\u{e9}\"}").objects().first)
            #expect(text["codec"] as? Int == 0 && text["bytes"] as? Int == 11 && text["text"] as? String == "{\"a\": \"\u{e9}\"}")
            let reply = try #require(try await Ginnel.run("call", path, "echo", "[1]", "--json").objects().first)
            #expect(reply["type"] as? String == "reply" && reply["method"] as? String == "echo")
            #expect((reply["milliseconds"] as? Double ?? 0) > 0)
            #expect((reply["value"] as? [String: Any])?["text"] as? String == "[1]")
            // A newline and a control character stay within the line and the string.
            let control = try #require(try await Ginnel.run("call", path, "echo", "\"a\"\n", "--json").objects().first)
            #expect((control["value"] as? [String: Any])?["text"] as? String == "\"a\"\n")
        }
    }

    @Test func `an answer in JSON is printed as it came`() async throws {
        try await withEcho { path, _ in
            let described = try await Ginnel.run("call", path, "ginnel.describe")
            #expect(described.lines.count == 1)
            let methods = try #require(described.objects().first?["methods"] as? [[String: Any]])
            #expect(methods.map { $0["name"] as? String } == ["count", "echo", "echo_async"])
            #expect(try await Ginnel.run("call", path, "ginnel.health").output == "{\"status\":\"serving\"}\n")
        }
    }

    @Test func `the items of a stream come a line each`() async throws {
        try await withEcho { path, _ in
            // More than the service may send before anybody reads.
            let outcome = try await Ginnel.run("call", path, "count", "{\"to\":30000}")
            #expect(outcome.status == 0)
            #expect(outcome.lines == (0..<30_000).map { "{\"value\":\($0)}" })
            let objects = try await Ginnel.run("call", path, "count", "{\"to\":2}", "--json").objects()
            #expect(objects.map { $0["type"] as? String } == ["item", "item"])
            #expect(objects.map { ($0["value"] as? [String: Int])?["value"] } == [0, 1])
        }
    }

    @Test func `what the call ends with is said, and the status is 5`() async throws {
        try await withEcho { path, _ in
            let unknown = try await Ginnel.run("call", path, "cuont")
            #expect(unknown.status == 5)
            #expect(unknown.errors == "ginnel: the service has no method cuont; did you mean count?\n        it has count, echo, echo_async\n")
            let error = try #require(try await Ginnel.run("call", path, "count", "{\"from\":1}", "--json").objects().first)
            #expect(error["type"] as? String == "error" && error["status"] as? Int == 5 && error["code"] as? String == "invalidRequest")
        }
    }

    @Test func `a deadline ends the call`() async throws {
        try await withEcho { path, _ in
            let outcome = try await Ginnel.run("call", path, "count", "{\"to\":100000000}", "--deadline", "50ms", "--json")
            #expect(outcome.status == 5)
            #expect(try outcome.objects().last?["code"] as? String == "deadlineExceeded")
        }
    }
}
