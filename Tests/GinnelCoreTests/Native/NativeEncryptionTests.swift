// The record layer (docs/protocol.md §12) as the machine sees it, with a scheme that is a toy: what is sealed, what a stranger in the middle can bring about, and how it ends.

import GinnelTesting
import Testing

@testable import GinnelCore

private func sealing(_ secret: UInt64 = 7, required: Bool = true) -> Change {
    { $0.encryption = EncryptionOptions(ToyEncryption(secret: secret), isRequired: required) }
}

/// What one side has sent after its handshake, cut into its opening and its records.
struct SealedBytes {
    let handshake: [UInt8]
    let opening: [UInt8]
    let records: [[UInt8]]

    init(_ bytes: [UInt8]) {
        let end = 8 + 16 + Int(WireFrame.u32(bytes[8..<12]))
        handshake = Array(bytes[..<end])
        opening = Array(bytes[end..<end + 24])
        var rest = bytes[(end + 24)...]
        var records: [[UInt8]] = []
        while rest.count >= 4 {
            let record = rest.prefix(4 + Int(WireFrame.u32(rest.prefix(4))))
            records.append(Array(record))
            rest = rest.dropFirst(record.count)
        }
        self.records = records
    }

    /// What the records hold, read by somebody who has the toy's key, which its opening gives away.
    var opened: [OpenedRecord] {
        var direction = ToyDirection(key: UInt64(WireFrame.u32(opening[..<4])) | UInt64(WireFrame.u32(opening[4..<8])) << 32)
        return records.compactMap { direction.open(Array($0[4...]).span.bytes) }
    }
}

@Suite struct NativeEncryptionTests {
    private func connected(_ client: @escaping Change = { _ in }, _ service: @escaping Change = { _ in }) -> MachinePair {
        MachinePair.connected(
            client: {
                sealing()(&$0)
                client(&$0)
            },
            service: {
                sealing()(&$0)
                service(&$0)
            })
    }

    /// A client and all that it says from its first byte to its last, to a service that answers nothing but the handshake: three calls and the farewell, one by one.
    private func conversation(_ change: @escaping Change = { _ in }) -> (said: [UInt8], service: MachineEnd) {
        var pair = MachinePair(
            client: configuration {
                sealing()(&$0)
                change(&$0)
            }, service: configuration(sealing()))
        pair.start()
        var said = pair.client.takeAll()
        let fresh = pair.service
        pair.service.receive(said)
        pair.client.receive(pair.service.takeAll())
        for number in 0..<3 {
            pair.client.call("method\(number)", pattern(60))
            said += pair.client.takeAll()
        }
        pair.client.submit(.farewell(Failure(.idle, "")))
        pair.client.submit(.close(Failure(.finished, "")))
        return (said + pair.client.takeAll(), fresh)
    }

    // MARK: What works

    @Test(arguments: [0, 1, 65_500, 65_536, 200_000, 1_000_000])
    func `everything arrives as it was, and nothing of it can be read on the way`(size: Int) {
        var pair = connected()
        let call = pair.client.call("readable_name", pattern(size), itemsFollow: true)
        pair.client.submit(.sendItem(call, codec: .raw, payload: pattern(size, seed: 2)))
        pair.client.submit(.event(name: "readable_name", codec: .raw, payload: pattern(size, seed: 3), lane: .high))
        pair.client.produce()
        #expect(!String(decoding: pair.client.sent, as: Unicode.ASCII.self).contains("readable_name"))
        pair.settle()
        #expect(pair.service.requests == [RecordedRequest(call: 1, method: "readable_name", codec: .raw, payload: pattern(size), itemsFollow: true)])
        #expect(pair.service.actions.contains(.item(call: 1, codec: .raw, payload: pattern(size, seed: 2))))
        #expect(pair.service.actions.contains(.event(name: "readable_name", codec: .raw, payload: pattern(size, seed: 3), missed: 0)))
        pair.service.submit(.item(call: 1, codec: .raw, payload: [1]))
        pair.service.submit(.reply(call: 1, codec: .json, payload: pattern(size, seed: 4)))
        pair.settle()
        #expect(call.items == [[1]])
        #expect(call.outcomes == [.replied(codec: .json, payload: pattern(size, seed: 4))])
        #expect(pair.client.leftovers == [] && pair.service.leftovers == [])
    }

    @Test func `both sides are established once the other has proven its keys, and say that they are encrypted`() throws {
        var pair = MachinePair(client: configuration(sealing()), service: configuration(sealing()))
        pair.start()
        let call = pair.client.call("early")
        pair.flush(.client)
        #expect(pair.service.actions.isEmpty)
        pair.flush(.service)
        guard case .established(let client)? = pair.client.actions.first else { throw Unexpected("\(pair.client.actions)") }
        #expect(client.isEncrypted)
        #expect(pair.service.actions.isEmpty)
        pair.flush(.client)
        guard case .established(let service)? = pair.service.actions.first else { throw Unexpected("\(pair.service.actions)") }
        #expect(service.isEncrypted)
        #expect(pair.service.requests.map(\.method) == ["early"])
        #expect(call.outcomes.isEmpty)
    }

    @Test func `chunks are compressed before they are cut and cut before they are sealed, checksums and all`() {
        let all: Change = {
            sealing()(&$0)
            $0.compression = CompressionOptions(ToyCompressor())
            $0.offersChecksums = true
        }
        let payload = (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 / 16 * 7) }
        var pair = MachinePair.connected(client: all, service: all)
        let call = pair.client.call("m", payload)
        pair.client.produce()
        #expect(pair.client.sent.count < 200_000)
        pair.settle()
        #expect(pair.service.requests.map(\.payload) == [payload])
        pair.service.submit(.reply(call: 1, codec: .raw, payload: payload))
        pair.settle()
        #expect(call.reply == payload)
    }

    @Test func `a record holds whole frames and no more than the largest`() {
        let (said, _) = conversation()
        for record in SealedBytes(said).opened {
            #expect(WireFrame.all(in: record.bytes).reduce(0) { $0 + 16 + $1.payload.count } == record.bytes.count)
        }
        var pair = connected()
        for number in 0..<50 { pair.client.call("m", pattern(3000 + 900 * number)) }
        let bytes = pair.client.takeAll()
        var at = 0
        while at < bytes.count {
            let length = Int(WireFrame.u32(bytes[at..<at + 4]))
            #expect(length <= 65_552 + 17)
            at += 4 + length
        }
        #expect(at == bytes.count)
    }

    @Test func `the key changes after as many records or bytes as the sender likes`() {
        for (bytes, records) in [(Int.max, 2), (1, Int.max)] {
            let (said, fresh) = conversation {
                $0.encryption?.rekeyBytes = bytes
                $0.encryption?.rekeyRecords = records
            }
            let tags = SealedBytes(said).opened.map(\.tag)
            #expect(tags.first == .message && tags.last == .final)
            #expect(tags.count { $0 == .rekey } == (records == 2 ? 2 : 4))
            var service = fresh
            service.receive(said)
            #expect(service.requests.map(\.method) == ["method0", "method1", "method2"])
        }
    }

    @Test func `sealed bytes obey the decoder law`() {
        let (said, _) = conversation()
        #expect(verifyDecoder(said) { NativeSession(role: .service, configuration(sealing())) } == nil)
    }

    // MARK: Somebody in the middle

    @Test func `a peer with another secret is told from the right one on both sides, and nobody is established`() {
        var pair = MachinePair(client: configuration(sealing(1)), service: configuration(sealing(2)))
        pair.start()
        let call = pair.client.call("m", [1, 2, 3])
        pair.settle()
        #expect(pair.client.closed?.failure.code == .encryptionFailed)
        #expect(pair.service.closed?.failure.code == .encryptionFailed)
        #expect(call.failure?.code == .unavailable)
        for end in [pair.client, pair.service] { #expect(!end.actions.contains { if case .established = $0 { true } else { false } }) }
    }

    @Test func `a handshake that was changed on its way leads to no session`() {
        var pair = MachinePair(
            client: configuration {
                sealing()(&$0)
                $0.program = "editor"
            }, service: configuration(sealing()))
        pair.start()
        var hello = pair.client.takeAll()
        hello[hello.firstRange(of: Array("editor".utf8))!.lowerBound] = UInt8(ascii: "E")
        pair.service.receive(hello)
        pair.flush(.service)
        #expect(pair.client.closed?.failure.code == .encryptionFailed)
        pair.flush(.client)
        #expect(pair.service.closed?.failure.code == .encryptionFailed)
    }

    @Test func `any changed byte of what is sealed ends the session before anything of it is believed`() {
        let (said, fresh) = conversation()
        let intact = fresh.fed(said)
        let start = SealedBytes(said).handshake.count + 24
        for at in start..<said.count {
            var changed = said
            changed[at] ^= 0x40
            var service = fresh.fed(changed)
            // A record that claims to be longer is waited for.
            if service.closed == nil { service.inputEnded() }
            let code = service.closed?.failure.code
            #expect(code == .encryptionFailed || code == .frameTooLarge || code == .connectionLost, "byte \(at): \(String(describing: service.closed))")
            #expect(intact.requests.starts(with: service.requests))
        }
    }

    @Test(arguments: ["repeated", "left out", "exchanged", "of another connection"])
    func `records that are repeated, left out or exchanged are found out`(what: String) {
        let (said, fresh) = conversation()
        let sealed = SealedBytes(said)
        var records = sealed.records
        switch what {
        case "repeated": records.insert(records[1], at: 2)
        case "left out": records.remove(at: 2)
        case "exchanged": records.swapAt(1, 2)
        default: records[2] = SealedBytes(conversation { $0.program = "another" }.said).records[2]
        }
        let service = fresh.fed(sealed.handshake + sealed.opening + records.joined())
        #expect(service.closed?.failure.code == .encryptionFailed)
        #expect(service.requests.count < 3)
    }

    @Test func `a stream that is cut off anywhere before its final record is said to be cut off`() {
        let (said, fresh) = conversation()
        let sealed = SealedBytes(said)
        let whole = sealed.handshake + sealed.opening
        for count in 0..<sealed.records.count {
            for extra in [0, 3, 10] {
                var service = fresh.fed(whole + sealed.records[..<count].joined() + sealed.records[count].prefix(extra))
                service.inputEnded()
                guard service.closed?.by != .peer else { continue }  // the farewell was read: the session is over
                #expect(service.closed?.failure.code == .connectionLost)
                #expect(service.closed?.failure.sentence.contains("cut off") == true)
            }
        }
    }

    @Test func `a farewell alone does not end a sealed stream, its final record does`() {
        for isCut in [true, false] {
            var pair = connected()
            pair.client.call("last")
            pair.client.submit(.farewell(Failure(.finished, "")))
            pair.flush(.client)
            if !isCut {
                pair.service.submit(.reply(call: pair.service.lastCall, codec: .raw, payload: []))
                pair.settle()
            }
            pair.service.inputEnded()
            #expect(pair.service.closed?.by == (isCut ? .nobody : .peer))
            #expect(pair.service.closed?.failure.code == (isCut ? .connectionLost : .finished))
        }
    }

    @Test func `bytes after the final record are a violation`() {
        let (said, fresh) = conversation()
        let sealed = SealedBytes(said)
        var direction = ToyDirection(key: UInt64(WireFrame.u32(sealed.opening[..<4])) | UInt64(WireFrame.u32(sealed.opening[4..<8])) << 32)
        let last = direction.seal(UnsafeRawBufferPointer(start: nil, count: 0), .final)
        let service = fresh.fed(sealed.handshake + sealed.opening + WireFrame.u32(UInt32(last.count)) + last + [0])
        #expect(service.closed?.failure.code == .protocolViolation)
    }

    @Test func `plain frames behind the handshake are no records`() {
        var service = MachineEnd(.service, configuration(sealing()))
        service.start()
        let greeting = HandGreeting.hello.with(2, WireFrame.u64(16)).with(13, [UInt8](repeating: 1, count: 32)).with(14, [UInt8](repeating: 1, count: 16))
        service.receive(greeting.asHello + (0..<4).flatMap { _ in WireFrame.ping().encoded })
        #expect(service.closed?.failure.code == .frameTooLarge || service.closed?.failure.code == .encryptionFailed)
    }

    @Test func `a record must hold whole frames`() {
        let (said, fresh) = conversation()
        let sealed = SealedBytes(said)
        var direction = ToyDirection(key: UInt64(WireFrame.u32(sealed.opening[..<4])) | UInt64(WireFrame.u32(sealed.opening[4..<8])) << 32)
        let half = WireFrame.ping().encoded.dropLast(3).withUnsafeBytes { direction.seal($0, .message) }
        let service = fresh.fed(sealed.handshake + sealed.opening + WireFrame.u32(UInt32(half.count)) + half)
        #expect(service.closed?.failure.code == .protocolViolation)
    }

    // MARK: Whether it is in force

    @Test func `who requires it refuses a peer that does not offer it, by name`() {
        var service = MachinePair(client: configuration(), service: configuration(sealing()))
        service.start()
        service.settle()
        #expect(service.service.closed?.failure.code == .encryptionRequired)
        #expect(service.client.closed == CloseReason(by: .peer, service.service.closed!.failure))
        var client = MachinePair(client: configuration(sealing()), service: configuration())
        client.start()
        client.settle()
        #expect(client.client.closed?.by == .us)
        #expect(client.client.closed?.failure.code == .encryptionRequired)
    }

    @Test func `where nobody requires it a peer without it is spoken to in the open`() throws {
        for (first, second) in [(sealing(required: false), { _ in }), ({ _ in }, sealing(required: false))] as [(Change, Change)] {
            var pair = MachinePair.connected(client: first, service: second)
            pair.client.call("m")
            pair.settle()
            #expect(pair.service.requests.count == 1)
            #expect(pair.client.native?.encryption.writer == nil)
        }
    }

    @Test func `an offer without its keys, with short ones or with useless ones is refused`() {
        let offering = HandGreeting.hello.with(2, WireFrame.u64(16))
        let key = [UInt8](repeating: 1, count: 32)
        for (greeting, code) in [
            (offering, FailureCode.protocolViolation), (offering.with(13, key), .protocolViolation), (offering.with(13, [1]).with(14, [UInt8](key[..<16])), .protocolViolation),
            (offering.with(13, key).with(14, [UInt8](key[..<16])).with(15, [1]), .protocolViolation),
            (offering.with(13, [UInt8](repeating: 0, count: 32)).with(14, [UInt8](key[..<16])), .encryptionFailed),
        ] {
            var service = MachineEnd(.service, configuration(sealing()))
            service.start()
            service.receive(greeting.asHello)
            #expect(service.closed?.failure.code == code)
            #expect(service.frames().map(\.kind) == [WireFrame.Kind.reject])
        }
    }

    @Test func `a side without random bytes begins nothing`() {
        let failing: Change = { $0.encryption = EncryptionOptions(ToyEncryption(secret: 1, failing: true), isRequired: false) }
        var client = MachineEnd(.client, configuration(failing))
        client.start()
        #expect(client.closed?.failure.code == .encryptionFailed)
        #expect(client.takeAll() == [])
        var service = MachineEnd(.service, configuration(failing))
        service.start()
        service.receive(HandGreeting.hello.asHello)
        #expect(service.frames().map(\.kind) == [WireFrame.Kind.reject])
    }

    @Test func `a peer that proves nothing is waited for as long as for a handshake`() {
        var pair = MachinePair(client: configuration(sealing()), service: configuration(sealing()))
        pair.start()
        pair.flush(.client)
        pair.advance(by: .seconds(6))
        #expect(pair.service.closed?.failure.code == .handshakeTimeout)
        #expect(!pair.service.isSpinning)
    }

    // MARK: Shared memory

    @Test func `a sealed connection goes over to shared memory, its records with it`() {
        let both: Change = {
            sealing()(&$0)
            $0.sharedMemory = .defaults
        }
        var pair = MachinePair(client: configuration(both), service: configuration(both))
        pair.start()
        pair.settle()
        pair.service.submit(.upgrade(.made(handles: 3)))
        pair.service.submit(.event(name: "behind", codec: .raw, payload: [1], lane: .normal))
        let offer = pair.service.takePortion()
        #expect(offer?.boundary == .carriesHandles)
        pair.client.receive(offer?.bytes ?? [])
        pair.flush(.service)
        pair.client.submit(.upgrade(.taken))
        let call = pair.client.call("through the ring")
        let last = pair.client.takePortion()
        #expect(last?.boundary == .lastOnSocket)
        pair.service.receive(last?.bytes ?? [])
        let ours = pair.service.takePortion()
        #expect(ours?.boundary == .lastOnSocket)
        pair.client.receive(ours?.bytes ?? [])
        #expect(pair.client.actions.contains(.upgraded(nil)) && pair.service.actions.contains(.upgraded(nil)))
        pair.settle()
        #expect(pair.service.requests.map(\.method) == ["through the ring"])
        pair.service.submit(.reply(call: pair.service.lastCall, codec: .raw, payload: [9]))
        pair.settle()
        #expect(call.reply == [9])
    }
}

extension MachineEnd {
    /// This end after it has read `bytes`.
    fileprivate func fed(_ bytes: [UInt8]) -> MachineEnd {
        var end = self
        end.receive(bytes)
        return end
    }
}

private struct Unexpected: Error {
    let what: String
    init(_ what: String) { self.what = what }
}
