// `ginnel list`: what listens for this user, and what for the whole machine.
//
// Endpoints with names are directories with a socket of a fixed name in them, so the list is a walk through the few places where they may be. Each is looked at in the mildest way that tells
// something: a bare connection, which sends nothing and says whether somebody accepts it and who that is. Only what has Ginnel's lock beside it is then asked what it is, at its
// control endpoint where there is one: nobody is spoken to in a language that he may not know, unless he left no other way.

import Foundation
import Ginnel
import GinnelTransport

extension Command {
    static let list = Command(
        name: "list", summary: "show what is listening for this user",
        notes: [
            "Looks into the places of this user's endpoints and of those of the whole machine. Endpoints at paths of their own choice are nowhere to be found.",
            "States: live (somebody accepts connections), stale (a socket without a service, as a killed one leaves it), closed (this user may not connect).",
        ],
        examples: ["ginnel list", "ginnel list --json"]
    ) { invocation in
        let output = invocation.output
        var entries: [ListedEndpoint] = []
        for socket in NamedSocket.all() { entries.append(await ListedEndpoint(socket)) }
        let width = (entries.map { $0.name.count }.max() ?? 0) + 2
        if entries.isEmpty { output.say("nothing is listening") }
        for entry in entries {
            output.say("\(entry.name.padded(to: width))\(entry.state.coloured(output.style))  \(entry.facts)")
            output.emit(entry.tree)
        }
        return .done
    }
}

/// A socket where one of an endpoint with a name belongs.
struct NamedSocket: Sendable {
    let endpoint: Endpoint
    let path: String
    /// Where its service answers tools, if it is not there.
    var control: String?

    private static let file = "service.sock"
    private static let probe = "probe"

    /// All of this user and of the machine, in the order of their names, control endpoints with those to which they belong.
    static func all() -> [NamedSocket] {
        let kinds: [@Sendable (String) -> Endpoint] = [Endpoint.named, Endpoint.system]
        return kinds.flatMap { kind in directories(kind(probe)).flatMap { sockets(in: $0, kind) } }
    }

    /// The directories that hold those of the endpoints.
    private static func directories(_ probe: Endpoint) -> [String] {
        let suffix = "/\(Self.probe)/\(file)"
        return ((try? probe.places()) ?? []).filter { $0.path.hasSuffix(suffix) }.map { String($0.path.dropLast(suffix.count)) }
    }

    private static func sockets(in directory: String, _ kind: (String) -> Endpoint) -> [NamedSocket] {
        let names = ((try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []).sorted()
        let sockets = names.map { NamedSocket(endpoint: kind($0), path: "\(directory)/\($0)/\(file)") }.filter { isSocket($0.path) && (try? $0.endpoint.places()) != nil }
        let found = Set(sockets.map(\.endpoint))
        let controls = Set(sockets.compactMap(\.endpoint.control)).intersection(found)
        return sockets.filter { !controls.contains($0.endpoint) }.map { socket in
            var socket = socket
            if let control = socket.endpoint.control, controls.contains(control) { socket.control = sockets.first { $0.endpoint == control }?.path }
            return socket
        }
    }

    private static func isSocket(_ path: String) -> Bool {
        (try? FileManager.default.attributesOfItem(atPath: path)[.type] as? FileAttributeType) == .typeSocket
    }

    /// Whether it is one of Ginnel's.
    var isLocked: Bool { FileManager.default.fileExists(atPath: path + ".lock") }
}

private struct ListedEndpoint: Sendable {
    enum State: String {
        case live, stale, closed

        func coloured(_ style: Style) -> String {
            let text = rawValue.padded(to: 6)
            return switch self {
            case .live: style.green(text)
            case .stale: style.yellow(text)
            case .closed: style.dim(text)
            }
        }
    }

    let name: String
    let path: String
    var state: State
    var peer: PeerIdentity?
    var description: Description?
    /// Why it is not known what it is.
    var remark: String?

    init(_ socket: NamedSocket) async {
        name = "\(socket.endpoint)"
        path = socket.path
        do {
            let channel = try Connector.connectOnce(to: .path(path))
            defer { channel.close(drain: .zero) }
            state = .live
            peer = try? channel.identify([.executable])
        } catch let error as GinnelError where error.code == .notFound {
            state = .stale
        } catch let error as GinnelError where error.code == .busy {
            state = .live
            remark = "takes no more connections at the moment"
        } catch {
            state = .closed
        }
        if state == .live, remark == nil { await ask(socket) }
    }

    private mutating func ask(_ socket: NamedSocket) async {
        guard socket.isLocked else {
            remark = "no Ginnel service, or one that was handed its socket"
            return
        }
        var configuration = ClientConfiguration.defaults
        configuration.policy = .anyOf([.sameUser, .systemService])
        configuration.connectTimeout = .seconds(1)
        configuration.timeouts.handshake = .seconds(1)
        configuration.transports = [.socket]
        configuration.program = Version.program
        configuration.log = .off
        do {
            description = try await Client.connect(to: .path(socket.control ?? path), configuration: configuration) { client in
                try await client.ask("ginnel.describe", Description.self, deadline: .seconds(1)).answer
            }
        } catch {
            remark = "does not say what it is"
        }
    }

    /// For people.
    var facts: String {
        let who = [peer?.process.map { "process \($0)" }, peer?.user.map { "user \($0)" }].compactMap(\.self)
        let methods = description.map { Figure.counted($0.methods.count, "method") }
        return (who + [description?.program, methods, remark].compactMap(\.self)).joined(separator: ", ").harmless
    }

    var tree: JSONTree {
        [
            "type": "endpoint", "endpoint": .text(name), "path": .text(path), "state": .text(state.rawValue), "process": peer?.process.map { .integer(Int($0)) } ?? .null,
            "user": peer?.user.map { .integer(Int($0)) } ?? .null, "executable": .string(peer?.executable), "service": .string(description?.service),
            "program": .string(description?.program), "methods": description.map { .integer($0.methods.count) } ?? .null, "remark": .string(remark),
        ]
    }
}
