// What editor and engine agree on: where they meet, and how they speak there. The handlers and the calls know nothing of it.

import Ginnel

/// A format, and what carries it.
enum Way: String, CaseIterable {
    case nativeSocket = "native format, socket"
    case nativeSharedMemory = "native format, shared memory"
    case headeredSocket = "headered format, socket"
    case headeredSharedMemory = "headered format, shared memory"

    var format: WireFormat {
        switch self {
        case .nativeSocket, .nativeSharedMemory: .native
        case .headeredSocket, .headeredSharedMemory: .headered()
        }
    }

    /// The native format can begin on the socket and go over to shared memory, which is the better choice: whoever cannot or will not stays where it is. Other formats begin there.
    var transports: Set<Transport> {
        switch self {
        case .nativeSocket, .headeredSocket: [.socket]
        case .nativeSharedMemory: [.socket, .sharedMemory]
        case .headeredSharedMemory: [.sharedMemory]
        }
    }

    func endpoint(_ waiting: Waiting, in directory: String) -> Endpoint { .path("\(directory)/\(self)-\(waiting)") }

    func configuration(_ waiting: Waiting = .asleep) -> ClientConfiguration {
        var configuration = waiting == .asleep ? ClientConfiguration.defaults : .lowLatency
        configuration.format = format
        configuration.transports = transports
        // How far the engine may be ahead of the editor in a stream, where the format can say so. Small, so that it shows.
        configuration.limits.announced.itemWindow = 4096
        return configuration
    }
}

/// How both sides wait for each other.
enum Waiting: CaseIterable {
    /// They sleep, and cost nothing.
    case asleep
    /// They look again and again for 50 µs, which costs a processor while there is traffic, and sleep then.
    case looking

    var loops: LoopConfiguration { self == .asleep ? .defaults : .lowLatency }

    /// For the context, which is written and read in the shared memory itself.
    var stream: SharedMemoryStreamOptions {
        var options = self == .asleep ? SharedMemoryStreamOptions.defaults : .lowLatency
        // The longest message is half the ring.
        options.sharedMemory.ringBytes = 512 << 10
        // The other side is this very program, so it may lend its memory rather than a copy.
        options.trustedPeer = true
        return options
    }
}
