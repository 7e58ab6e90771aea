// When a client tries again, and when it gives up.

import GinnelCore
import Testing

private let lost = Failure(.connectionLost, "it went away")

@Suite struct ReconnectionTests {
    let start = Moment(awake: 1_000_000_000, continuous: 5_000_000_000)

    private func failed(_ machine: inout Reconnection, after: Duration = .zero, isFinal: Bool = false) -> Reconnection.Step {
        machine.ended(lost, isFinal: isFinal, at: start.advanced(by: after), random: 0)
    }

    @Test func `a client without a policy tries once and gives up with the reason`() {
        var machine = Reconnection(.never)
        #expect(machine.begin() == .connect)
        #expect(machine.state == .connecting(attempt: 1))
        #expect(failed(&machine) == .giveUp)
        #expect(machine.state == .gaveUp(lost))
    }

    @Test func `a client without a policy does not come back after a loss`() {
        var machine = Reconnection(.never)
        _ = machine.begin()
        machine.connected(at: start)
        #expect(machine.state == .connected)
        #expect(failed(&machine, after: .seconds(100)) == .giveUp)
    }

    @Test(arguments: [1, 2, 10]) func `as many attempts in a row as are allowed fail before it gives up`(attempts: Int) {
        var machine = Reconnection(.exponential(Backoff(jitter: 0), attempts: attempts))
        var step = machine.begin()
        var made = 0
        while step != .giveUp {
            made += 1
            #expect(machine.state == .connecting(attempt: made))
            step = failed(&machine)
            if case .wait(let delay) = step {
                #expect(machine.state == .waiting(until: start.advanced(by: delay), after: lost))
                step = machine.waited()
            }
        }
        #expect(made == attempts)
    }

    @Test func `without a limit it goes on`() {
        var machine = Reconnection(.exponential(Backoff(jitter: 0), attempts: nil))
        _ = machine.begin()
        for _ in 0..<10_000 {
            guard case .wait(let delay) = failed(&machine) else {
                Issue.record("it gave up")
                return
            }
            #expect(delay <= .seconds(30))
            _ = machine.waited()
        }
    }

    @Test func `a connection that lasted begins the count anew`() {
        var machine = Reconnection(.exponential(Backoff(jitter: 0), attempts: 3))
        _ = machine.begin()
        _ = failed(&machine)
        _ = machine.waited()
        machine.connected(at: start)
        #expect(failed(&machine, after: .seconds(1)) == .wait(.milliseconds(100)))
    }

    @Test func `a service that accepts and dies at once is tried less and less often`() {
        var machine = Reconnection(.exponential(Backoff(jitter: 0), attempts: 4))
        var steps: [Reconnection.Step] = []
        _ = machine.begin()
        machine.connected(at: start)
        // The first connection follows no wait, so it counts as one that lasted.
        steps.append(failed(&machine, after: .milliseconds(1)))
        for _ in 0..<3 {
            _ = machine.waited()
            machine.connected(at: start)
            steps.append(failed(&machine, after: .milliseconds(1)))
        }
        #expect(steps == [.wait(.milliseconds(100)), .wait(.milliseconds(200)), .wait(.milliseconds(400)), .giveUp])
    }

    @Test func `what trying again would not help ends it at once`() {
        var machine = Reconnection(.exponential(attempts: nil))
        _ = machine.begin()
        #expect(failed(&machine, isFinal: true) == .giveUp)
        #expect(machine.state == .gaveUp(lost))
    }

    @Test func `a client that was told to end says so`() {
        var machine = Reconnection(.exponential())
        _ = machine.begin()
        machine.close()
        #expect(machine.state == .closed)
    }
}
