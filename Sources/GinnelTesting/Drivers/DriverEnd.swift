// One end of a driven connection: a driver, and a delegate that writes down what it is told and answers requests as the test wants.

package import GinnelCore
package import GinnelTransport

package final class DriverEnd: SessionDelegate {
    /// Answers one request; on the loop, in the middle of `perform`.
    package typealias Responder = @Sendable (RecordedRequest, Driver) -> Void

    package struct Record: Sendable {
        package fileprivate(set) var actions: [RecordedAction] = []
        /// What the driver said at its end, however often it did.
        package fileprivate(set) var endings: [CloseReason] = []
        /// Things that came after that, or on another thread than the loop's.
        package fileprivate(set) var violations: [String] = []
        fileprivate var driver: Driver?

        package var isEstablished: Bool { actions.contains { if case .established = $0 { true } else { false } } }
        package var requests: [RecordedRequest] { actions.compactMap { if case .request(let request) = $0 { request } else { nil } } }
        package var eventNames: [String] { actions.compactMap { if case .event(let name, _, _, _) = $0 { name } else { nil } } }
    }

    package let record = Watched(Record())
    private let respond: Responder

    package init(_ respond: @escaping Responder) { self.respond = respond }

    /// Opens a driver on `loop` and starts it; in one turn, so that nothing happens in between.
    package static func open(
        _ channel: any Channel, _ machine: any SessionMachine, timeouts: SessionTimeouts = .patient, policy: PeerPolicy = .sameUser, role: Role,
        on loop: EventLoop, respond: @escaping Responder = DriverEnd.echo
    ) async throws -> DriverEnd {
        try await loop.run {
            let end = DriverEnd(respond)
            try end.start(channel, machine, timeouts: timeouts, policy: policy, role: role, on: loop)
            return end
        }
    }

    /// The same for one that was made before; on the loop.
    package func start(
        _ channel: any Channel, _ machine: any SessionMachine, timeouts: SessionTimeouts = .patient, policy: PeerPolicy = .sameUser, role: Role,
        on loop: EventLoop
    ) throws {
        let refusal = role == .service ? type(of: machine).refusal(.peerRefused) : []
        let driver = try Driver.open(channel, timeouts: timeouts, verification: PeerVerification(policy), refusal: refusal, loop: loop) { _ in machine }
        record.change { $0.driver = driver }
        driver.start(self)
    }

    package var driver: Driver {
        guard let driver = record.value.driver else { preconditionFailure("the driver was not opened") }
        return driver
    }

    /// Sends the payload back.
    package static let echo: Responder = { request, driver in
        driver.submit(.reply(call: request.call, codec: request.codec, payload: request.payload))
    }

    package func perform(_ action: Action, input: borrowing RawSpan) {
        let recorded = RecordedAction(action, input: input)
        let driver = record.change { record -> Driver? in
            record.actions.append(recorded)
            if !record.endings.isEmpty { record.violations.append("\(recorded) after the end") }
            if let driver = record.driver, !driver.loop.isCurrent { record.violations.append("\(recorded) on a thread that is not the loop's") }
            return record.driver
        }
        if case .request(let request) = recorded, let driver { respond(request, driver) }
    }

    package func ended(_ reason: CloseReason) {
        record.change { record in
            record.endings.append(reason)
            if let driver = record.driver, !driver.loop.isCurrent { record.violations.append("the end on a thread that is not the loop's") }
        }
    }

    // MARK: Waiting

    package func waitUntilEstablished() async throws { try await record.wait { $0.isEstablished || !$0.endings.isEmpty } }

    /// Why the driver ended, once it has.
    package var ending: CloseReason {
        get async throws { try await record.wait { !$0.endings.isEmpty }.endings[0] }
    }

    // MARK: Calling

    /// Calls from whatever thread this is.
    @discardableResult
    package func call(_ payload: [UInt8], method: String = "echo", deadline: UInt64? = nil, _ token: ProbedCall = ProbedCall()) -> ProbedCall {
        driver.submit(.call(token, OutgoingRequest(method: method, codec: .raw, payload: payload, deadline: deadline)))
        return token
    }

    @discardableResult
    package func event(_ name: String, _ payload: [UInt8] = []) -> Acceptance {
        driver.submit(.event(name: name, codec: .raw, payload: payload, lane: .normal))
    }
}

extension NativeConfiguration {
    /// For tests: an identity that is always the same, no heartbeats, and no hurry.
    package static func plain(_ change: (inout NativeConfiguration) -> Void = { _ in }) -> NativeConfiguration {
        var configuration = NativeConfiguration(identity: Identity(high: 1, low: 2))
        configuration.timeouts = .patient
        change(&configuration)
        return configuration
    }
}

extension SessionTimeouts {
    /// Time-outs that the busiest of machines does not meet, and no heartbeat.
    package static var patient: SessionTimeouts {
        var timeouts = SessionTimeouts.defaults
        timeouts.handshake = .seconds(600)
        timeouts.readMidMessage = .seconds(600)
        timeouts.write = .seconds(600)
        timeouts.heartbeat = nil
        return timeouts
    }
}
