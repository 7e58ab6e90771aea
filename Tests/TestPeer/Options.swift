// What the test wants of this process.

import Foundation
import Ginnel
import GinnelTransport

struct Options: Sendable {
    let mode: String
    private let values: [String: String]

    init(_ arguments: [String]) {
        mode = arguments.count > 1 ? arguments[1] : ""
        var values: [String: String] = [:]
        for index in stride(from: 2, to: arguments.count - 1, by: 2) { values[arguments[index]] = arguments[index + 1] }
        self.values = values
    }

    subscript(name: String) -> String? { values["--" + name] }

    func number(_ name: String) -> Int? { self[name].flatMap { Int($0) } }

    /// A path, `system:NAME`, `inherited:DESCRIPTOR`, `listener:INDEX` or a name; without one, what the parent has handed down.
    var endpoint: Endpoint {
        guard let text = self["endpoint"] else { return Endpoint.handedDown ?? Endpoint("") }
        let parts = text.split(separator: ":").map(String.init)
        switch parts.first {
        case "inherited": return .inherited(Int(parts[1])!)
        case "listener": return Endpoint.inheritedListeners[Int(parts[1])!]
        default: return Endpoint(text)
        }
    }

    /// Their names, separated by commas; the socket when nothing is said.
    var transports: Set<Transport> { self["transports"].map { Set($0.split(separator: ",").compactMap { Transport(rawValue: String($0)) }) } ?? [.socket] }

    /// `envelope`; the native one when nothing is said.
    var format: WireFormat { self["format"] == "envelope" ? .envelope() : .native }

    var policy: PeerPolicy? {
        guard let parts = self["policy"]?.split(separator: ",").map(String.init) else { return nil }
        switch parts[0] {
        case "any": return .anyLocalUser
        case "same": return .sameUser
        case "system": return .systemService
        case "users": return .users(parts.dropFirst().compactMap { UInt32($0) })
        case "executable": return .executables(named: [parts[1]], in: [parts[2]])
        case "sha256": return .sha256([parts[1]])
        case "spawned": return .spawnedByUs
        default: return .allOf([])
        }
    }

    /// Takes the user and the limits that are asked for. First of all, and for ever.
    func become() {
        if let limit = number("descriptors") { try! System.setDescriptorLimit(limit) }
        guard let user = number("user") else { return }
        let id = UInt32(user)
        guard setgroups(0, nil) == 0, setgid(id) == 0, setuid(id) == 0 else {
            say("cannot become user \(user)")
            exit(77)
        }
    }
}
