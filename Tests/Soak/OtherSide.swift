// The process that serves, and that may be killed: a service and a listener of bare streams. Ends when it is ended, when its parent does, or with a word when
// something is not as it should be.

import Foundation
import Ginnel
import GinnelTransport

struct OtherSide: Sendable {
    let directory: String
    let plan: Plan

    /// The descriptor on which nothing comes but the parent's end.
    static func endWithParent() {
        // It was made not to wait.
        _ = fcntl(3, F_SETFL, 0)
        Thread.detachNewThread {
            var byte: UInt8 = 0
            while true {
                let count = read(3, &byte, 1)
                if count == 0 || (count < 0 && errno != EINTR) { exit(0) }
            }
        }
    }

    func run() async {
        do {
            try await withThrowingTaskGroup { group in
                group.addTask { try await serveCalls() }
                group.addTask { try await serveStreams() }
                try await group.waitForAll()
            }
        } catch {
            // The parent has its own view of what went wrong; this is for the eyes.
            FileHandle.standardError.write(Data("the other side of round \(plan.seed): \(error)\n".utf8))
            exit(1)
        }
    }

    private func serveCalls() async throws {
        var configuration = ServiceConfiguration.defaults
        configuration.sharedMemory.ringBytes = plan.ringBytes
        configuration.log = .off
        let service = Service(at: .path(directory + "/calls"), transports: [.socket, .sharedMemory], configuration: configuration)
        service.handle(Traffic.method) { bytes, _ in Traffic.turn(bytes.withUnsafeBytes { [UInt8]($0) }) }
        try await service.run()
    }

    private func serveStreams() async throws {
        try await EventLoop.run { loop in
            let listener = try await SharedMemoryListener.bind(.path(directory + "/streams"), options: plan.options, on: loop)
            try await withThrowingTaskGroup { group in
                for _ in 0..<plan.streams {
                    let stream = try await listener.accept()
                    group.addTask {
                        // Who speaks first says which of the streams it is.
                        guard let way = try await stream.receive()?.first.map(UInt64.init) else { throw Mismatch(description: "a stream without a number") }
                        try await Traffic.exchange(plan, out: 200 + way, in: 100 + way, Tally(), on: stream)
                        let end = try await stream.receive()
                        guard end == nil else { throw Mismatch(description: "a message behind the last one") }
                        await stream.close()
                    }
                }
                try await group.waitForAll()
            }
            await listener.close()
        }
    }
}
