// The real key exchange and the real stream under two session machines, and a stranger between them who has everything but the keys.

#if Encryption
import GinnelTesting
import Testing

@testable import Ginnel
@testable import GinnelCore

@Suite struct SealedStreamTests {
    private static func configuration(_ encryption: Encryption) -> NativeConfiguration {
        var configuration = NativeConfiguration(identity: Identity(high: 1, low: 2))
        configuration.timeouts.heartbeat = nil
        configuration.encryption = encryption.options
        configuration.encryption?.rekeyRecords = 3
        return configuration
    }

    private static func shared(_ seed: UInt64 = 1) throws -> Encryption { try .preShared(ChannelEnd.pattern(32, seed: seed)) }

    private static func pair() throws -> MachinePair { MachinePair(client: configuration(try shared()), service: configuration(try shared())) }

    /// The service as it is before the client's proof, and all that the client sends from there on: five calls, then its farewell.
    private static func conversation() throws -> (service: MachineEnd, said: [UInt8]) {
        var pair = try pair()
        pair.start()
        pair.flush(.client)
        pair.flush(.service)
        for number in 0..<5 { pair.client.call("method\(number)", ChannelEnd.pattern(40, seed: UInt64(number))) }
        pair.client.produce(goal: 1)
        while pair.client.session.machine.hasOutput { pair.client.produce(goal: 1) }
        let service = pair.service
        pair.client.submit(.close(Failure(.finished, "")))
        return (service, pair.client.takeAll())
    }

    private static func records(_ said: [UInt8]) -> [[UInt8]] {
        var rest = said[24...]
        var records = [Array(said[..<24])]
        while rest.count >= 4 {
            let record = rest.prefix(4 + Int(WireFrame.u32(rest.prefix(4))))
            records.append(Array(record))
            rest = rest.dropFirst(record.count)
        }
        return records
    }

    @Test func `the conversation is read, through changes of the key and to its end`() throws {
        var (service, said) = try Self.conversation()
        service.receive(said)
        service.inputEnded()
        #expect(service.requests.map(\.method) == (0..<5).map { "method\($0)" })
        #expect(service.closed?.by == .peer)
        #expect(Self.records(said).count == 1 + 1 + 5 + 2)
    }

    @Test func `two conversations share no bytes`() throws {
        let first = Self.records(try Self.conversation().said)
        let second = Self.records(try Self.conversation().said)
        #expect(first.map(\.count) == second.map(\.count))
        for (one, other) in zip(first, second) { #expect(one.dropFirst(4) != other.dropFirst(4)) }
    }

    @Test func `any changed byte is found out before anything of it is believed`() throws {
        let (fresh, said) = try Self.conversation()
        for index in said.indices {
            var (service, changed) = (fresh, said)
            changed[index] ^= 0x10
            service.receive(changed)
            if service.closed == nil { service.inputEnded() }
            let code = service.closed?.failure.code
            #expect(code == .encryptionFailed || code == .frameTooLarge || code == .connectionLost, "byte \(index): \(String(describing: service.closed))")
            #expect(service.requests.count < 5 || index > said.count - 100)
        }
    }

    @Test func `records that are repeated, left out, exchanged or played back are found out`() throws {
        let (fresh, said) = try Self.conversation()
        let records = Self.records(said)
        for index in 1..<records.count - 1 {
            var (repeated, leftOut, exchanged) = (records, records, records)
            repeated.insert(records[index], at: index)
            leftOut.remove(at: index)
            exchanged.swapAt(index, index + 1)
            for changed in [repeated, leftOut, exchanged] {
                var service = fresh
                service.receive(Array(changed.joined()))
                #expect(service.closed?.failure.code == .encryptionFailed)
            }
        }
        var another = try Self.conversation().service
        another.receive(said)
        #expect(another.closed?.failure.code == .encryptionFailed)
        #expect(another.requests.isEmpty)
    }

    @Test func `a stream that is cut off between two records is said to be cut off`() throws {
        let (fresh, said) = try Self.conversation()
        let records = Self.records(said)
        for count in 1..<records.count - 2 {
            var service = fresh
            service.receive(Array(records[..<count].joined()))
            service.inputEnded()
            #expect(service.closed?.failure.code == .connectionLost)
            #expect(service.closed?.failure.sentence.contains("cut off") == true)
        }
    }

    @Test func `a stranger in the middle who shakes hands with both sides gets nothing from either`() throws {
        // The stranger knows the protocol and both public keys, and has a pair of his own.
        let (service, client, stranger) = (try KeyPair(), try KeyPair(), try KeyPair())
        let impostors: [(Encryption, Encryption)] = [
            (try .pinned(stranger, peers: [client.publicKey]), try .pinned(stranger, peers: [service.publicKey])),
            (Self.pretending(service.publicKey, with: stranger, peers: [client.publicKey]), Self.pretending(client.publicKey, with: stranger, peers: [service.publicKey])),
        ]
        for (toClient, toService) in impostors {
            var first = MachinePair(client: Self.configuration(try .pinned(client, peers: [service.publicKey])), service: Self.configuration(toClient))
            first.start()
            first.client.call("secret", [1, 2, 3])
            first.settle()
            #expect(first.client.closed?.failure.code == .encryptionFailed)
            #expect(first.service.requests.isEmpty)
            var second = MachinePair(client: Self.configuration(toService), service: Self.configuration(try .pinned(service, peers: [client.publicKey])))
            second.start()
            second.client.call("command")
            second.settle()
            #expect(second.service.closed?.failure.code == .encryptionFailed)
            #expect(second.service.requests.isEmpty)
        }
    }

    /// Who says that a public key is his own, without its secret half.
    private static func pretending(_ publicKey: [UInt8], with own: KeyPair, peers: Set<[UInt8]>) -> Encryption {
        Encryption(SodiumScheme(.pinned(publicKey, SecretBytes(own.secretKey), peers: peers)))
    }

    @Test func `public keys of small order are refused`() throws {
        for weak in [[UInt8](repeating: 0, count: 32), [1] + [UInt8](repeating: 0, count: 31)] {
            let exchange = try SodiumScheme(.preShared(SecretBytes([UInt8](repeating: 1, count: 32)))).begin(.service)
            #expect(throws: EncryptionFailure.self) {
                _ = try exchange.agree(with: EncryptionOffer(publicKey: weak, challenge: [UInt8](repeating: 0, count: 16)), hello: [], welcome: [])
            }
        }
    }

    @Test func `sealed bytes obey the decoder law`() throws {
        let (fresh, said) = try Self.conversation()
        func run(_ portions: [ArraySlice<UInt8>]) -> [RecordedAction] {
            var service = fresh
            for portion in portions { service.receive(Array(portion)) }
            return service.actions
        }
        let whole = run([said[...]])
        #expect(run(said.indices.map { said[$0...$0] }) == whole)
        for cut in said.indices { #expect(run([said[..<cut], said[cut...]]) == whole) }
    }
}
#endif
