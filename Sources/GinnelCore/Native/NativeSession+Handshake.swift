// HELLO answered, WELCOME accepted, or a refusal (docs/protocol.md §4).

extension NativeSession {
    /// The service has read HELLO.
    mutating func greet(_ payload: borrowing RawSpan, _ now: Moment, _ actions: inout [Action]) throws(Violation) {
        let hello = try Greeting(payload)
        guard hello.versions.contains(Greeting.minorVersion) else {
            let range = "\(hello.versions.lowerBound) to \(hello.versions.upperBound)"
            return refuse(Failure(.versionUnsupported, "minor versions \(range) do not include \(Greeting.minorVersion)"), &actions)
        }
        guard hello.service.isEmpty || configuration.service.isEmpty || hello.service == configuration.service else {
            return refuse(Failure(.wrongService, "this is \(configuration.service), not \(hello.service)"), &actions)
        }
        if let failure = refusalWithout(encryption: hello.features) { return refuse(failure, &actions) }
        var welcome = try greeting()
        let agreement = welcome.agreement(with: hello)
        welcome.features = agreement.features
        let isEncrypted = agreement.features.contains(.encryption)
        if !isEncrypted { welcome.encryption = nil }
        let encoded = welcome.encoded
        if isEncrypted { try agreeOnKeys(with: hello, hello: payload.copied(), welcome: encoded) }
        outbound.lanes.appendControl(raw: Preamble.bytes)
        control(.welcome, payload: encoded)
        establish(agreement, now, &actions)
    }

    /// The client has read WELCOME.
    mutating func accept(_ payload: borrowing RawSpan, _ now: Moment, _ actions: inout [Action]) throws(Violation) {
        let welcome = try Greeting(payload)
        let hello = Greeting(configuration)
        guard welcome.versions == Greeting.minorVersion...Greeting.minorVersion, welcome.features.isSubset(of: hello.features) else {
            throw Violation(.protocolViolation, "WELCOME chooses a version or a feature that was not offered")
        }
        if let failure = refusalWithout(encryption: welcome.features) { return refuse(failure, &actions) }
        if welcome.features.contains(.encryption) { try agreeOnKeys(with: welcome, hello: encryption.hello, welcome: payload.copied()) }
        establish(hello.agreement(with: welcome), now, &actions)
    }

    private mutating func establish(_ agreement: NativeAgreement, _ now: Moment, _ actions: inout [Action]) {
        self.agreement = agreement
        outbound.sealed = agreement.features.contains(.checksums)
        outbound.requests = SendWindow(agreement.peerLimits.requestWindow)
        if agreement.features.contains(.delivery) { delivery = DeliveryFlow(peer: agreement.peerLimits, own: announced) }
        liveness.heartbeat = agreement.heartbeat
        if agreement.features.contains(.encryption) { phase = .proving } else { open(now, &actions) }
    }

    /// The handshake is over, and the peer is who it should be.
    mutating func open(_ now: Moment, _ actions: inout [Action]) {
        guard let agreement else { return }
        phase = .open
        handshakeDeadline = .max
        liveness.noteMessage(now)
        actions.append(
            .established(
                Establishment(
                    service: agreement.service, instance: agreement.identity, peerLimits: agreement.peerLimits, program: agreement.program,
                    delivers: delivery != nil, isEncrypted: agreement.features.contains(.encryption))))
        beginUpgrade(&actions)
        startCalls(now, &actions)
    }

    /// Ends the handshake without an agreement.
    mutating func refuse(_ failure: Failure, _ actions: inout [Action]) {
        end(CloseReason(by: .us, failure), telling: true, &actions)
    }
}
