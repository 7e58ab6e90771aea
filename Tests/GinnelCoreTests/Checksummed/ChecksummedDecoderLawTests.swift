import GinnelTesting
import Testing

@testable import GinnelCore

@Suite struct ChecksummedDecoderLawTests {
    private static let endings: [[UInt8]] = [[], [0, 0, 0, 0], [255, 255, 255, 255], ChecksummedFrame.encoded([1, 2], crc: 3) + [9], ChecksummedFrame.encoded([5], length: 9)]

    @Test(arguments: endings)
    func `a service reads a request in whatever portions it comes`(ending: [UInt8]) {
        let machine = { OrderedSession(role: .service, checksummed()) }
        // The next request is not looked at before the first is answered.
        for input in [ending, ChecksummedFrame.encoded(Array("hello".utf8)) + ending] { #expect(verifyDecoder(input, machine) == nil) }
    }

    @Test(arguments: endings)
    func `a client reads a reply in whatever portions it comes`(ending: [UInt8]) {
        let input = ChecksummedFrame.encoded(Array("hello".utf8)) + ending
        func prepare(_ end: inout MachineEnd) {
            _ = end.ask(task: "a")
            _ = end.takeAll()
        }
        #expect(verifyDecoder(input, prepare: prepare) { OrderedSession(role: .client, checksummed()) } == nil)
        var client = MachineEnd.checksummed(.client)
        prepare(&client)
        client.receive(input)
        #expect(client.actions.count == (ending.isEmpty || ending.count == 9 ? 1 : 2))
    }

    @Test func `large messages obey the law`() {
        let large = ChecksummedFrame.encoded([UInt8](repeating: 7, count: 100_000))
        #expect(verifyDecoder(large, everyOffset: false) { OrderedSession(role: .service, checksummed()) } == nil)
    }

    /// What a client and a service really say to each other, a few bytes at a time.
    @Test(arguments: 1...20) func `two machines understand each other however the bytes are cut`(portion: Int) {
        let machine = { (role: Role) in OrderedSession(role: role, checksummed { $0.failureEncoder = saidFailure }) }
        var pair = MachinePair(client: MachineEnd(machine(.client)), service: MachineEnd(machine(.service)))
        pair.connect()
        let calls = (0..<6).map { pair.client.ask(task: "task \($0)") }
        for (number, call) in calls.enumerated() {
            pair.client.produce()
            while pair.deliver(from: .client, portion) > 0 {}
            #expect(pair.service.requests.count == number + 1)
            let request = pair.service.lastCall
            if number % 2 == 0 { pair.service.answer(task: "yes", of: request) } else { pair.service.submit(.fail(call: request, Failure(.internal, "no"))) }
            pair.service.produce()
            while pair.deliver(from: .service, portion) > 0 {}
            #expect(call.reply == Array((number % 2 == 0 ? "yes" : "task \(number): no").utf8))
        }
    }
}
