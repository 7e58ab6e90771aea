// A service's driver on a scripted channel, and by hand the client at the other end: every byte and every call of the channel is in sight.

import GinnelCore
import GinnelTesting
import GinnelTransport

struct ScriptedService {
    let channel: ScriptedChannel
    let end: DriverEnd
    /// The client, with the handshake behind it.
    var peer: MachineEnd

    /// Opens the service and shakes hands; the channel's account begins after that.
    init(
        on loop: EventLoop, _ channel: ScriptedChannel = ScriptedChannel(), configuration: NativeConfiguration = .plain(),
        respond: @escaping DriverEnd.Responder = DriverEnd.echo
    ) async throws {
        self.channel = channel
        peer = MachineEnd(.client, .plain { $0.limits = configuration.limits })
        end = try await DriverEnd.open(
            channel, NativeSession(role: .service, configuration), timeouts: configuration.timeouts, role: .service, on: loop, respond: respond)
        peer.start()
        channel.say(peer.takeAll())
        try await channel.script.wait { !$0.taken.isEmpty }
        peer.receive(channel.script.value.taken)
        channel.forget()
    }

    /// The client says what it has to say.
    mutating func say() { channel.say(peer.takeAll()) }

    /// The client calls, and its bytes arrive.
    mutating func call(_ payload: [UInt8] = [], method: String = "echo") -> RecordedCall {
        defer { say() }
        return peer.call(method, payload)
    }

    /// The client reads what was written.
    mutating func listen() {
        peer.receive(channel.script.value.taken)
        channel.forget()
    }
}

extension ScriptedChannel.Script {
    /// Bytes of all writes that were attempted, by the threads that made them.
    func threadsOfWrites() -> Set<UInt64> {
        Set(calls.compactMap { if case .write(_, let thread) = $0 { thread } else { nil } })
    }
}

/// A message of the recorder format.
func tagged(_ json: String) -> [UInt8] { WireFrame.u32(UInt32(json.utf8.count)) + Array(json.utf8) }
