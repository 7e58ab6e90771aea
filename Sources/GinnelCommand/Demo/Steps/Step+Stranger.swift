// Somebody who should not get in.

import Foundation
import Ginnel

extension Step {
    static let stranger = Step(title: "A stranger is refused") { stage, narrator in
        switch stage.stranger {
        case .user(let user): try await refuseUser(user, stage, narrator)
        case .program: try await refuseProgram(stage, narrator)
        }
        try await stage.connected { client in
            let reason = try await client.call(Refusals(count: 1), deadline: .seconds(5)).reasons.last ?? ""
            narrator.quote(reason)
            narrator.note("reason", .text(reason))
        }
        narrator.say("the reason is for the service's log alone; not a byte of what the stranger sent was read")
    }

    private static func refuseUser(_ user: UInt32, _ stage: Stage, _ narrator: Narrator) async throws {
        let outside = try await visit(stage.path, user: user)
        try require(outside.code == "denied", "it was told \(outside)")
        narrator.say("a process of user \(user) tries the service's socket, and the file system refuses it")
        narrator.say("the service has a second door, in a directory that everybody can reach (socket mode 0666), for this user alone all the same")
        let inside = try await visit(stage.openPath, user: user)
        try require(inside.code == "peerRefused", "it was told \(inside)")
        narrator.say("user \(user) tries that one, and the service refuses it: \(FailureCode.peerRefused), and not a word why")
        narrator.note("stranger", "user")
    }

    private static func refuseProgram(_ stage: Stage, _ narrator: Narrator) async throws {
        let own = try Child.ownProgram()
        let copy = stage.directory + "/stranger"
        try FileManager.default.copyItem(atPath: own, toPath: copy)
        narrator.say("the service has a second door, for one program alone: \(own)")
        let friend = try await visit(stage.openPath)
        try require(friend.isServed, "the right program was told \(friend)")
        narrator.say("that program is served: \"\(friend.value?.text ?? "")\"")
        let stranger = try await visit(stage.openPath, program: copy)
        try require(stranger.code == "peerRefused", "it was told \(stranger)")
        narrator.say("its copy, \(copy), run by the same user, is refused: \(FailureCode.peerRefused), and not a word why")
        narrator.note("stranger", "program")
    }

    /// Lets a stranger try, and gives back what it was told.
    private static func visit(_ path: String, user: UInt32? = nil, program: String? = nil) async throws -> Visit {
        // Whoever listens belongs to this user, who is another one to the stranger; it is the service's refusal that is to be seen.
        var arguments = ["call", path, Greet.method, "{\"name\":\"stranger\"}", "--json", "--expect", PeerIdentity.own.user.map(String.init) ?? "any"]
        if let user { arguments += ["--become", "\(user)"] }
        let child = try Child(arguments, program: program)
        var told: Visit?
        for await line in child.lines { told = try? JSONDecoder().decode(Visit.self, from: Data(line.utf8)) }
        _ = await child.status(within: .seconds(5))
        guard let told else { throw Trouble(.failed, code: "demo", "the stranger said nothing") }
        return told
    }

    /// What `ginnel call --json` prints: a reply, or an error.
    private struct Visit: Decodable {
        var type: String
        var code: String?
        var sentence: String?
        var value: Greet.Response?

        var isServed: Bool { type == "reply" }
    }
}
