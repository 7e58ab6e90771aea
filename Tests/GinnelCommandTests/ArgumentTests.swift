// What is not understood is said, with what may have been meant; the status is 2, and nothing else happens.

import Testing

@Suite struct ArgumentTests {
    @Test(arguments: [
        (["pign", "x"], "unknown command pign; did you mean ping?"),
        (["--jsno"], "unknown option --jsno; did you mean --json?"),
        (["ping", "--cuont", "3", "x"], "ginnel ping has no option --cuont; did you mean --count?"),
        (["bench", "x", "--low-latecny"], "ginnel bench has no option --low-latecny; did you mean --low-latency?"),
        (["ping", "x", "-z"], "ginnel ping has no option -z"),
        (["ping"], "ENDPOINT is missing"),
        (["call", "x"], "METHOD is missing"),
        (["ping", "x", "y"], "ginnel ping does not know what to do with \"y\""),
        (["ping", "x", "--count"], "--count needs a value: --count N"),
        (["ping", "x", "--count", "--json"], "--count needs a value: --count N"),
        (["ping", "x", "--count", "0"], "--count 0: not a whole number from 1 to 1000000000"),
        (["ping", "x", "-cthree"], "--count three: not a whole number from 1 to 1000000000"),
        (["ping", "x", "--interval=-1s"], "--interval -1s: not a time from 0 ns to 86400.00 s"),
        (["ping", "x", "--deadline", "soon"], "--deadline soon: not a time from 1.00 ms to 3600.00 s"),
        (["bench", "x", "--size", "1048577"], "--size 1048577: not a whole number from 1 to 1048576"),
        (["bench", "x", "--low-latency=yes"], "--low-latency takes no value"),
        (["call", "x", "m", "{"], "the request is no JSON: the text ends where a key in quotes or '}' is due, at byte 1"),
        (["call", "x", "m", "--raw", "--json"], "--raw and --json exclude each other"),
        (["call", "x", ""], "a method's name has 1 to 255 bytes"),
        (["serve-echo", "x", "--access", "all"], "--access all: no such access"),
        (["doctor", "x", "--expect", "root2"], "--expect root2: nobody of that name"),
        (["doctor", "not/a/name"], "not/a/name: \"not/a/name\" is no endpoint name: 1 to 64 letters, digits, '.', '_' and '-', and no '.' in front"),
        (["ping", ""], ": \"\" is no endpoint name: 1 to 64 letters, digits, '.', '_' and '-', and no '.' in front"),
        (["help", "pign"], "unknown command pign; did you mean ping?"),
    ])
    func `arguments that are not understood are named`(arguments: [String], sentence: String) async throws {
        let outcome = try await Running(arguments).outcome()
        #expect(outcome.status == 2)
        if arguments.contains("--json") {
            let error = try #require(try outcome.objects().first)
            #expect(error["sentence"] as? String == sentence)
            #expect(outcome.errors == "")
        } else {
            let first = outcome.errors.split(separator: "\n").first.map(String.init) ?? ""
            #expect(first.hasPrefix("ginnel: \(sentence)"))
            #expect(outcome.output == "")
        }
        // The remedy is a line of its own.
        #expect(arguments.contains("--json") || outcome.errors.split(separator: "\n").count == 2)
    }

    @Test func `an option far from all others names none of them as meant`() async throws {
        let outcome = try await Ginnel.run("ping", "x", "--colourfulness")
        #expect(outcome.status == 2)
        #expect(!outcome.errors.contains("did you mean"))
        #expect(outcome.errors.contains("--interval"), "the options there are stand in the remedy")
    }

    @Test func `two dashes end the options, and a lone dash and negative numbers are operands`() async throws {
        try await withEcho { path, _ in
            let dashes = try await Ginnel.run("call", "--raw", "--", path, "echo", "--json")
            #expect(dashes.output == "--json")
            let number = try await Ginnel.run("call", path, "echo", "-5", "--raw")
            #expect(number.output == "-5")
            let input = try await Ginnel.run("call", path, "echo", "-", "--raw", input: Array("in".utf8))
            #expect(input.output == "in")
        }
    }
}
