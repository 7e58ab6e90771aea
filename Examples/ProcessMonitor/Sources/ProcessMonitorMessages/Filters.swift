// Which processes, connections, files or figures a task is about. A list that is empty restricts nothing.

public import Ginnel

public struct ProcessFilter: ProtobufMessage, Hashable {
    public var processNames: [String] = []
    public var pids: [UInt32] = []
    public var executablePattern: String?
    public var unknownFields = ProtobufUnknownFields()

    public init() {}

    public mutating func read(_ field: inout ProtobufReader) throws(ProtobufError) {
        switch field.number {
        case 1: try field.take(.string, &processNames)
        case 2: try field.take(.uint32, &pids)
        case 3: try field.take(.string, &executablePattern)
        default: break
        }
    }

    public func write(to writer: inout ProtobufWriter) {
        writer.put(.string, 1, processNames)
        writer.put(.uint32, 2, pids)
        writer.put(.string, 3, executablePattern)
    }
}

public struct NetworkFilter: ProtobufMessage, Hashable {
    public var protocols: [String] = []
    public var sourceAddresses: [String] = []
    public var destinationAddresses: [String] = []
    public var connectionStates: [String] = []
    public var unknownFields = ProtobufUnknownFields()

    public init() {}

    public mutating func read(_ field: inout ProtobufReader) throws(ProtobufError) {
        switch field.number {
        case 1: try field.take(.string, &protocols)
        case 2: try field.take(.string, &sourceAddresses)
        case 3: try field.take(.string, &destinationAddresses)
        case 4: try field.take(.string, &connectionStates)
        default: break
        }
    }

    public func write(to writer: inout ProtobufWriter) {
        writer.put(.string, 1, protocols)
        writer.put(.string, 2, sourceAddresses)
        writer.put(.string, 3, destinationAddresses)
        writer.put(.string, 4, connectionStates)
    }
}

public struct FilesystemFilter: ProtobufMessage, Hashable {
    public var pathPatterns: [String] = []
    public var operationTypes: [String] = []
    public var fileExtensions: [String] = []
    public var unknownFields = ProtobufUnknownFields()

    public init() {}

    public mutating func read(_ field: inout ProtobufReader) throws(ProtobufError) {
        switch field.number {
        case 1: try field.take(.string, &pathPatterns)
        case 2: try field.take(.string, &operationTypes)
        case 3: try field.take(.string, &fileExtensions)
        default: break
        }
    }

    public func write(to writer: inout ProtobufWriter) {
        writer.put(.string, 1, pathPatterns)
        writer.put(.string, 2, operationTypes)
        writer.put(.string, 3, fileExtensions)
    }
}

public struct PerformanceFilter: ProtobufMessage, Hashable {
    public var metricNames: [String] = []
    public var components: [String] = []
    public var minThresholds: [String: Double] = [:]
    public var maxThresholds: [String: Double] = [:]
    public var unknownFields = ProtobufUnknownFields()

    public init() {}

    public mutating func read(_ field: inout ProtobufReader) throws(ProtobufError) {
        switch field.number {
        case 1: try field.take(.string, &metricNames)
        case 2: try field.take(.string, &components)
        case 3: try field.take(map: .string, .double, &minThresholds)
        case 4: try field.take(map: .string, .double, &maxThresholds)
        default: break
        }
    }

    public func write(to writer: inout ProtobufWriter) {
        writer.put(.string, 1, metricNames)
        writer.put(.string, 2, components)
        writer.put(map: .string, .double, 3, minThresholds)
        writer.put(map: .string, .double, 4, maxThresholds)
    }
}
