// The record layer (docs/protocol.md §12): below frames, above the channel, and so the same on a socket and on rings.
//
//     service:  HELLO ─► keys ─► WELCOME, opening, proof ─► proving ─► the client's proof ─► open
//     client:   HELLO ─► WELCOME ─► keys, opening, proof ─► proving ─► the service's proof ─► open
//
// A side says that it is established when the peer has proven its keys, and so never to a stranger. The three frames of the handshake stay plain; every bit of HELLO and WELCOME
// goes into the keys, so who changes one on its way is found out by the first record.

extension NativeSession {
    struct Encryption: Sendable {
        var exchange: (any KeyExchange)?
        /// The payload of our HELLO.
        var hello: [UInt8] = []
        var writer: RecordWriter?
        var reader: RecordReader?
    }

    /// What this side says in its first frame, with keys made for this connection when there are to be any.
    mutating func greeting() throws(Violation) -> Greeting {
        var greeting = Greeting(configuration)
        guard let options = configuration.encryption else { return greeting }
        do throws(EncryptionFailure) {
            let exchange = try options.scheme.begin(role)
            encryption.exchange = exchange
            greeting.encryption = exchange.offer
        } catch {
            throw Violation(.encryptionFailed, error.sentence)
        }
        return greeting
    }

    /// Why there can be no session with a peer that offered these features, if so.
    func refusalWithout(encryption features: NativeFeatures) -> Failure? {
        guard configuration.encryption?.isRequired == true, !features.contains(.encryption) else { return nil }
        return Failure(.encryptionRequired, "this \(role) speaks only encrypted (encryption), which the \(role.other) does not offer")
    }

    /// Both greetings are known: from here on everything is sealed.
    mutating func agreeOnKeys(with peer: Greeting, hello: [UInt8], welcome: [UInt8]) throws(Violation) {
        guard let options = configuration.encryption, let exchange = encryption.exchange else { return }
        guard let offer = peer.encryption else { throw Violation(.protocolViolation, "encryption is in force, and the peer sends no key for it") }
        do throws(EncryptionFailure) {
            let keys = try exchange.agree(with: offer, hello: hello, welcome: welcome)
            encryption.writer = RecordWriter(keys.sealer, options)
            encryption.reader = RecordReader(keys.opener)
        } catch {
            throw Violation(.encryptionFailed, error.sentence)
        }
        encryption.exchange = nil
        encryption.hello = []
    }

    // MARK: In

    /// Takes as many records as there are, and moves `offset` behind each.
    mutating func takeRecords(_ input: borrowing RawSpan, _ offset: inout Int, _ now: Moment, _ actions: inout [Action]) throws(Violation) {
        while phase != .closed, !upgrade.inputIsSwitching, let plain = try encryption.reader?.next(in: input, at: &offset) {
            if phase == .proving { open(now, &actions) }
            try take(record: plain, now, &actions)
        }
    }

    private mutating func take(record: [UInt8], _ now: Moment, _ actions: inout [Action]) throws(Violation) {
        let first = actions.count
        // What the frames lent lies in the record and not in the input.
        defer { for index in first..<actions.count { actions[index].own(record.span.bytes) } }
        var taken = 0
        try takeFrames(record.span.bytes, &taken, now, &actions)
        guard phase == .closed || taken == record.count else {
            throw Violation(.protocolViolation, "a record ends in the middle of a frame, or goes on after the last one on the socket")
        }
    }

    // MARK: Out

    mutating func produceSealed(into output: inout OutputBuffer, goal: Int) {
        while outbound.lanes.waitsForHandshake, outbound.lanes.produceFrame(into: &output, sealed: outbound.sealed) {}
        guard var writer = encryption.writer.take() else { return }
        defer { encryption.writer = writer }
        writer.open(into: &output)
        while output.count < goal, output.boundary == nil, produceRecord(into: &output, goal: goal, &writer) {}
        if phase == .closed, outbound.lanes.isEmpty { writer.close(into: &output) }
    }

    /// Appends one or two records of whole frames; false when nothing waits, or what does begins a write of its own.
    private mutating func produceRecord(into output: inout OutputBuffer, goal: Int, _ writer: inout RecordWriter) -> Bool {
        var frames = OutputBuffer()
        while frames.isEmpty || output.count + frames.count < goal, frames.boundary == nil {
            if outbound.lanes.nextCarriesHandles, !output.isEmpty || !frames.isEmpty { break }
            let before = frames.count
            guard outbound.lanes.produceFrame(into: &frames, sealed: outbound.sealed) else { break }
            if frames.count > Record.maximumPlain {
                frames.withBytes { writer.seal(UnsafeRawBufferPointer(rebasing: $0[..<before]), into: &output) }
                frames.removeFirst(before)
            }
        }
        guard !frames.isEmpty else { return false }
        frames.withBytes { writer.seal($0, into: &output) }
        output.boundary = frames.boundary
        return true
    }
}

extension Action {
    /// Copies what it has borrowed of `bytes`.
    mutating func own(_ bytes: borrowing RawSpan) {
        switch self {
        case .request(var request):
            request.payload = request.payload.owned(of: bytes)
            self = .request(request)
        case .item(let call, let codec, let payload): self = .item(call: call, codec: codec, payload: payload?.owned(of: bytes))
        case .replied(let token, let codec, let payload): self = .replied(token, codec: codec, payload: payload.owned(of: bytes))
        case .streamed(let token, let codec, let payload): self = .streamed(token, codec: codec, payload: payload.owned(of: bytes))
        case .event(let name, let codec, let payload, let missed):
            self = .event(name: name, codec: codec, payload: payload.owned(of: bytes), missed: missed)
        case .message(var delivery):
            delivery.payload = delivery.payload.owned(of: bytes)
            self = .message(delivery)
        // Each new action is to say here whether it borrows.
        case .established, .carryOn, .cancel, .failed, .mayCarryOn, .acknowledged, .messagesMayCarryOn, .pong, .farewell, .upgrade, .upgraded, .close: break
        }
    }
}

extension Payload {
    fileprivate func owned(of input: borrowing RawSpan) -> Payload {
        if case .owned = self { self } else { .owned(copied(of: input)) }
    }
}
