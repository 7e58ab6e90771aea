// The recorder format under a fuzzer, with every setting it has.

import GinnelCore

extension FuzzTarget {
    /// The first byte is a set of settings; without any they are the defaults. What comes behind it is the law's.
    private struct TaggedJSONChoice: OptionSet {
        let rawValue: UInt8

        static let pushes = TaggedJSONChoice(rawValue: 1)
        /// Types that mean something else, or hardly anything.
        static let oddPushes = TaggedJSONChoice(rawValue: 2)
        static let holdsEvents = TaggedJSONChoice(rawValue: 4)
        /// A service says something while it has a request in hand.
        static let makesEvents = TaggedJSONChoice(rawValue: 8)
        static let smallMessages = TaggedJSONChoice(rawValue: 16)
        static let smallBuffers = TaggedJSONChoice(rawValue: 32)
        static let isStrict = TaggedJSONChoice(rawValue: 64)
        static let hasPrefix = TaggedJSONChoice(rawValue: 128)
    }

    static func taggedJSON(_ bytes: [UInt8], _ role: Role) -> String? {
        let choice = TaggedJSONChoice(rawValue: bytes.first ?? 0)
        let configuration = Self.configuration(choice)
        let event: ((Int) -> [UInt8])? = role == .service && choice.contains(.makesEvents) ? { Self.event(duringRequest: $0) } : nil
        func problem(inOutput output: [UInt8]) -> String? {
            guard let texts = Self.texts(in: output) else { return "output that is no whole messages" }
            if let text = texts.first(where: { !isMessage($0, configuration) }) { return "it says \(String(decoding: text, as: UTF8.self))" }
            return event != nil && !choice.contains(.smallBuffers) ? Self.problem(inOrderOf: texts, isHeld: choice.contains(.holdsEvents)) : nil
        }
        return law(Array(bytes.dropFirst()), isOrdered: true, carrying: #"{"type":"ask"}"#, event: event, output: problem(inOutput:)) {
            OrderedSession(role: role, configuration)
        }
    }

    private static func configuration(_ choice: TaggedJSONChoice) -> TaggedJSONConfiguration {
        var configuration = TaggedJSONConfiguration()
        if choice.contains(.pushes) { configuration.pushTypes = ["event"] }
        if choice.contains(.oddPushes) { configuration.pushTypes.formUnion(["", "error"]) }
        configuration.holdsEvents = choice.contains(.holdsEvents)
        if choice.contains(.smallMessages) {
            configuration.maximumMessage = 64
            configuration.json = JSONLimits(depth: 2)
        }
        if choice.contains(.smallBuffers) {
            configuration.limits.bufferedBytes = 1000
            configuration.limits.eventBytes = 60
        }
        if choice.contains(.isStrict) {
            configuration.limits.eventOverflow = .close
            configuration.timeouts.idle = .seconds(4)
        }
        if choice.contains(.hasPrefix) { configuration.errorPrefix = "Invalid request: " }
        return configuration
    }

    private static func event(duringRequest request: Int) -> [UInt8] { Array(#"{"type":"event","n":\#(request)}"#.utf8) }

    // MARK: What is sent

    /// The texts behind their lengths; `nil` when the last is cut off.
    private static func texts(in output: [UInt8]) -> [[UInt8]]? {
        var texts: [[UInt8]] = []
        var rest = output[...]
        while !rest.isEmpty {
            guard rest.count >= 4 else { return nil }
            let length = rest.prefix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
            rest = rest.dropFirst(4)
            guard rest.count >= length else { return nil }
            texts.append(Array(rest.prefix(length)))
            rest = rest.dropFirst(length)
        }
        return texts
    }

    private static func isMessage(_ text: [UInt8], _ configuration: TaggedJSONConfiguration) -> Bool {
        text.count <= configuration.maximumMessage && (try? JSONObject(text.span.bytes, members: ["type"], limits: configuration.json)) != nil
    }

    /// With each reply goes the event that was made before it: in front, or behind it where events are held.
    private static func problem(inOrderOf texts: [[UInt8]], isHeld: Bool) -> String? {
        guard texts.count.isMultiple(of: 2) else { return "\(texts.count) messages for requests of two each" }
        let place = isHeld ? 1 : 0
        for request in 0..<texts.count / 2 where texts[2 * request + place] != event(duringRequest: request + 1) {
            return "the event of request \(request + 1) is not in its place"
        }
        return nil
    }
}
