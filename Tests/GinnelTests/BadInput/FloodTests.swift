// Too many connections, and no descriptors left to take them with.

import Ginnel
import GinnelTesting
import GinnelTransport
import Testing

@Suite(.serialized, .ownThread, .timeLimit(.minutes(5))) struct FloodTests {
    @Test func `of 2,000 connections against a limit of 100 a hundred are served and the others told`() async throws {
        var configuration = ServiceConfiguration.defaults
        configuration.connections.maximum = 101
        try await withNeighbour(configuration) { running, neighbour in
            var served: [RawPeer] = []
            for _ in 0..<100 { served.append(try await .greeted(at: running.path)) }
            let flood = 1900
            let began = ContinuousClock.now
            let path = running.path
            try await withThrowingTaskGroup { group in
                for worker in 0..<10 {
                    group.addTask {
                        for _ in 0..<flood / 10 {
                            let peer = try RawPeer(connectingTo: path)
                            try await peer.expectReject(.tooManyConnections, sentence: false)
                        }
                        if worker == 0 { try await neighbour.check() }
                    }
                }
                try await group.waitForAll()
            }
            for peer in served {
                let answer = try await peer.call("echo", [1], stream: 1)
                #expect(answer?.payload == [1])
            }
            try await running.log.entry("turned away", "tooManyConnections", "101 connections")
            // Told of now and then, not two thousand times.
            #expect(running.log.count("turned away") <= 10 * (2 + Int((ContinuousClock.now - began) / .seconds(1))))

            // Those that leave make room.
            let left = running.service.connections.count
            served.removeAll()
            try await running.log.entries.wait { $0.count { $0.message.contains("connection lost") } >= 100 }
            #expect(left == 101)
            try await RawPeer.greeted(at: path).send(.request(1, "echo"))
        }
    }

    @Test func `a user's connections have a limit of their own`() async throws {
        var configuration = ServiceConfiguration.defaults
        configuration.connections.perUser = 2
        // Where others may come too, one of them must not take all the places.
        try await withRunning(configuration, access: .anyLocalUser, policy: .sameUser) { running in
            try await running.connect { first in
                try await running.connect { second in
                    let third = try RawPeer(connectingTo: running.path)
                    try await third.expectReject(.tooManyConnections, sentence: false)
                    try await running.log.entry("turned away", "perUser")
                    try await first.checkIsServed()
                    try await second.checkIsServed()
                }
            }
        }
    }

    @Test func `a service without descriptors refuses politely, serves those it has, and recovers`() async throws {
        try await withDirectory { directory in
            let path = directory + "/s"
            let child = try Child(["serve", "--endpoint", path, "--descriptors", "128"])
            try await child.line("listening")
            // As many as fit beside the reserve.
            try await child.line("log warning fewer connections than configured")
            try await Client.connect(to: .path(path)) { neighbour in
                try await neighbour.checkIsServed()
                let hoarded = try await neighbour.call("hoard", payload: [])
                #expect(Int(String(decoding: hoarded.bytes, as: UTF8.self)) ?? 0 > 10)
                // Something else in that process may have given a descriptor back since; who gets it keeps it.
                var lucky: [RawPeer] = []
                for _ in 0..<20 {
                    let peer = try RawPeer(connectingTo: path)
                    try await peer.send(WireFrame.preamble + RawHello().frame().encoded)
                    #expect(try await peer.read(8) == WireFrame.preamble)
                    let answer = try await peer.frame()
                    if answer?.kind == WireFrame.Kind.welcome {
                        lucky.append(peer)
                    } else {
                        #expect(answer == WireFrame(WireFrame.Kind.reject, WireFrame.failureBody(FailureCode.tooManyConnections.rawValue)))
                        #expect(try await peer.readToEnd().isEmpty)
                    }
                    try await neighbour.checkIsServed()
                }
                #expect(lucky.count < 10)
                try await child.line("log warning exhausted: a connection could not be accepted")
                _ = try await neighbour.call("release", payload: [])
                try await Client.connect(to: .path(path)) { try await $0.checkIsServed() }
                try await neighbour.checkIsServed()
            }
        }
    }
}
