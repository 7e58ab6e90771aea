// `ginnel.json`: what an operator may set without a new build (docs/configuration.md). The program decides what it does with it: it reads the file and asks for its configuration.

internal import Foundation
public import GinnelCore
public import GinnelTransport

/// A configuration file that was read and found right.
///
///     let file = try ConfigurationFile.fromEnvironment() ?? ConfigurationFile.empty
///     let service = Service(at: file.endpoint ?? .named("recorder"), transports: file.transports ?? [.socket], configuration: file.service())
public struct ConfigurationFile: Sendable {
    /// The name of the variable that names the file.
    public static let variable = "GINNEL_CONFIG"
    /// Bytes of the longest file that is read.
    static let longest = 1 << 20

    /// Where the service listens and its clients find it; `nil` when the file does not say.
    public let endpoint: Endpoint?
    /// What may carry the bytes; `nil` when the file does not say.
    public let transports: Set<Transport>?
    /// The engine that the file asks for; `nil` when it does not say. `Engine.chosen(configured:)` knows of `GINNEL_ENGINE` too.
    public let engine: Engine?
    /// The checksum that the file asks for; `nil` when it does not say, or says none. `.castagnoli` is offered by `.native` too, whose only one it is; `WireFormat.checksummed` takes either.
    public let checksum: Checksum?
    private let changes: [@Sendable (inout ConfigurationTarget) -> Void]

    /// A file that says nothing: everything has its default.
    public static let empty = ConfigurationFile(ConfigurationTarget(), [])

    private init(_ target: ConfigurationTarget, _ changes: [@Sendable (inout ConfigurationTarget) -> Void]) {
        endpoint = target.endpoint
        transports = target.transports
        engine = target.engine
        checksum = target.checksum
        self.changes = changes
    }

    // MARK: What it says

    /// `configuration` with what the file says about services.
    public func service(_ configuration: ServiceConfiguration = .defaults) -> ServiceConfiguration {
        var target = ConfigurationTarget()
        target.service = configuration
        for change in changes { change(&target) }
        return target.service
    }

    /// `configuration` with what the file says about clients.
    public func client(_ configuration: ClientConfiguration = .defaults) -> ClientConfiguration {
        var target = ConfigurationTarget()
        target.client = configuration
        for change in changes { change(&target) }
        return target.client
    }

    // MARK: Reading

    /// The file that `GINNEL_CONFIG` names; `nil` when that is not set, or empty.
    public static func fromEnvironment() throws(ConfigurationError) -> ConfigurationFile? {
        guard let path = System.environment(variable), !path.isEmpty else { return nil }
        return try read(path)
    }

    /// Reads a file of at most 1 MiB. Blocks.
    public static func read(_ path: String) throws(ConfigurationError) -> ConfigurationFile {
        let data: Data?
        do {
            let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
            data = try file.read(upToCount: longest + 1)
        } catch {
            let error = error as NSError
            let cause = (error.userInfo[NSUnderlyingErrorKey] as? NSError ?? error).localizedDescription
            throw ConfigurationError(path, "the file cannot be read: \(cause)")
        }
        guard let data, data.count <= longest else { throw ConfigurationError(path, data == nil ? "the file is empty" : "over \(longest) bytes") }
        return try ConfigurationFile(parsing: [UInt8](data), from: path)
    }

    /// Reads a text. `file`: how errors name it.
    public init(parsing text: [UInt8], from file: String) throws(ConfigurationError) {
        var reading = Reading()
        reading.take(try ConfigurationNode.members(of: text, file: file), below: "")
        guard reading.problems.isEmpty else { throw ConfigurationError(file, reading.problems.sorted { $0.key < $1.key }) }
        self.init(reading.target, reading.changes)
    }
}

/// Goes through the tree and collects what it says, and what is wrong with it.
private struct Reading {
    var target = ConfigurationTarget()
    var changes: [@Sendable (inout ConfigurationTarget) -> Void] = []
    var problems: [ConfigurationError.Problem] = []
    /// Keys that have a value, by their own name: the name under which it was given.
    private var given: [String: String] = [:]

    /// Every name, with its key and the rule that holds under that name.
    private static let names: [String: (key: ConfigurationKey, rule: ConfigurationRule)] = {
        var names: [String: (ConfigurationKey, ConfigurationRule)] = [:]
        for key in ConfigurationKey.all {
            names[key.name] = (key, key.rule)
            if let alias = key.alias { names[alias.name] = (key, alias.rule) }
        }
        return names
    }()

    /// The objects that keys lie in.
    private static let sections = Set(names.keys.compactMap { $0.split(separator: ".").count > 1 ? String($0.split(separator: ".")[0]) : nil })

    mutating func take(_ members: [String: ConfigurationNode], below section: String) {
        // In a fixed order, so that the same file has the same errors.
        for (name, node) in members.sorted(by: { $0.key < $1.key }) {
            let path = section + name
            if let (key, rule) = Self.names[path] {
                set(key, rule, path, node)
            } else if section.isEmpty, Self.sections.contains(name) {
                if case .object(let inner) = node { take(inner, below: name + ".") } else { complain(path, "\(node.shown) is not allowed; this is an object with keys of its own") }
            } else {
                let nearest = Nearest.to(path, among: (Array(Self.names.keys) + Self.sections).sorted())
                complain(path, "there is no such key" + (nearest.map { "; did you mean \($0)?" } ?? ""))
            }
        }
    }

    private mutating func set(_ key: ConfigurationKey, _ rule: ConfigurationRule, _ path: String, _ node: ConfigurationNode) {
        if let other = given[key.name] { return complain(path, "\(other) is given too, and both mean the same; leave one out") }
        given[key.name] = path
        guard let value = rule.read(node) else { return complain(path, "\(node.shown) is not allowed; allowed: \(rule.allowed)") }
        do {
            let value = try key.resolve(value)
            try key.apply(&target, value)
            changes.append { try? key.apply(&$0, value) }
        } catch let error as GinnelError {
            complain(path, "\(node.shown): \(error.sentence)")
        } catch {
            complain(path, "\(node.shown): \(error)")
        }
    }

    private mutating func complain(_ path: String, _ sentence: String) { problems.append(ConfigurationError.Problem(key: path.printable, sentence: sentence)) }
}
