// `ginnel call`: one call from the shell. What goes out is JSON or, with --raw, bytes; what comes back is printed so that it is JSON in every case but --raw.

import Foundation
import Ginnel

extension Command {
    static let call = Command(
        name: "call", summary: "call a method and print its answer",
        operands: [
            .endpoint, Operand(name: "METHOD", help: "the method's name; ginnel.describe lists those of a service"),
            Operand(name: "JSON", help: "the request, or - to read it from standard input (default {})", isRequired: false),
        ],
        options: [
            Option("deadline", value: "TIME", "how long the call may take; it ends on both sides then (default 30s; none for a stream)"),
            Option("raw", "send the request as raw bytes (default none), and print the answer's bytes as they are"),
            Invocation.expectation, Invocation.key,
        ],
        notes: [
            #"""
            An answer in JSON is printed as it came: indented on a terminal, on one line otherwise. An answer of another codec is printed as an object:
              {"codec":0,"bytes":5,"text":"hello"}         when it is UTF-8; codec 0 is raw bytes, 2 protobuf
              {"codec":0,"bytes":3,"base64":"/wAB"}        when it is not
            The items of a stream are printed a line each, as they come.
            """#
        ],
        examples: [
            "ginnel call recorder start_recording '{\"display\":1}' --deadline 2s", "ginnel call recorder ginnel.describe",
            "ginnel call recorder echo --raw - < picture.png > copy.png",
        ]
    ) { invocation in
        let plan = try CallPlan(invocation)
        return try await Interruption.cancelling { try await invocation.connected { try await plan.run($0) } }
    }
}

private struct CallPlan: Sendable {
    /// What we print need not fit into 64 bits, nor be as flat as a service may want it.
    private static let limits = JSONLimits(depth: 512, integers: .unbounded)

    let method: String
    let codec: Codec
    let payload: [UInt8]
    let deadline: Duration?
    let isRaw: Bool
    let output: Output

    init(_ invocation: Invocation) throws {
        method = invocation.operands[1]
        isRaw = invocation.has("raw")
        output = invocation.output
        deadline = try invocation.duration("deadline", in: .microseconds(1) ... .seconds(86_400), default: nil)
        guard (1...255).contains(method.utf8.count) else { throw UsageError(sentence: "a method's name has 1 to 255 bytes", remedy: "usage: \(invocation.command.usage)") }
        if isRaw, output.isJSON { throw UsageError(sentence: "--raw and --json exclude each other", remedy: "--raw prints the answer's bytes and nothing else") }
        codec = isRaw ? .raw : .json
        switch invocation.operands.dropFirst(2).first {
        case nil: payload = isRaw ? [] : Array("{}".utf8)
        case "-"?: payload = Array(try FileHandle.standardInput.readToEnd() ?? Data())
        case let text?: payload = Array(text.utf8)
        }
        guard !isRaw else { return }
        do {
            try JSON.validate(payload.span.bytes, limits: Self.limits)
        } catch {
            throw UsageError(
                sentence: "the request is no JSON: \(error)", remedy: "in a shell, put it between single quotes: '{\"display\":1}'; use --raw for bytes that are no JSON")
        }
    }

    func run(_ client: Client) async throws -> ExitStatus {
        switch await shape(client) {
        case "stream": try await stream(client)
        case let shape? where shape != "call":
            throw Trouble(
                .callFailed, code: "unsupported", "\(method.harmless) is of the shape \(shape.harmless): it waits for items, which this command cannot send",
                remedy: "call it from a program")
        default:
            let began = clock
            print(try await call(client), since: began)
        }
        return .done
    }

    private func call(_ client: Client) async throws -> Reply {
        do {
            return try await client.call(method, codec: codec, payload: payload, deadline: deadline ?? .seconds(30))
        } catch let error as CallError where error.code == .unknownMethod {
            let names = await methods(client).map(\.name)
            throw Trouble(
                .callFailed, code: "unknownMethod",
                "the service has no method \(method.harmless)" + (Nearest.to(method, among: names).map { "; did you mean \($0.harmless)?" } ?? ""),
                remedy: "it has \(names.isEmpty ? "none" : names.joined(separator: ", ").harmless)")
        }
    }

    /// What the service says about the method; `nil` when it does not describe itself.
    private func shape(_ client: Client) async -> String? { await methods(client).first { $0.name == method }?.shape }

    private func methods(_ client: Client) async -> [Description.Method] {
        let reply = try? await client.call("ginnel.describe", payload: [], deadline: .seconds(2))
        return reply.flatMap { try? Description(decoding: $0.bytes.span.bytes).methods } ?? []
    }

    private func stream(_ client: Client) async throws {
        for try await item in try await client.open(method, codec: codec, payload: payload, deadline: deadline) {
            if isRaw { output.write(bytes: item.bytes) }
            output.emit(["type": "item", "value": Self.json(item)])
            if !isRaw { output.say(Self.text(item, isIndented: false)) }
        }
    }

    private func print(_ reply: Reply, since began: UInt64) {
        if isRaw { return output.write(bytes: reply.bytes) }
        output.say(Self.text(reply, isIndented: output.isTerminal))
        output.emit(["type": "reply", "method": .text(method), "milliseconds": .number(Double(clock - began) / 1e6), "value": Self.json(reply)])
    }

    private static func text(_ reply: Reply, isIndented: Bool) -> String {
        let text = json(reply).text
        return isIndented ? JSONLayout.indented(text) : text
    }

    /// JSON goes through as it is; other bytes become an object that says what they are.
    private static func json(_ reply: Reply) -> JSONTree {
        if reply.codec == .json, (try? JSON.validate(reply.bytes.span.bytes, limits: limits)) != nil {
            return .verbatim(JSONLayout.compact(String(decoding: reply.bytes, as: UTF8.self)))
        }
        let text = String(validating: reply.bytes, as: UTF8.self)
        let content: (String, JSONTree) = text.map { ("text", .text($0)) } ?? ("base64", .text(Data(reply.bytes).base64EncodedString()))
        return .object([("codec", .integer(Int(reply.codec.rawValue))), ("bytes", .integer(reply.bytes.count)), content])
    }
}
