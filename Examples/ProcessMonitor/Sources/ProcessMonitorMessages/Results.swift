// What the monitor answers.

public import Ginnel

/// What came of a task. `errorMessage` says why when it failed.
public struct DetectionResult: ProtobufMessage, Hashable {
    public var taskID = ""
    public var success = false
    public var errorMessage: String?
    public var processes: [ProcessRecord] = []
    public var hashResult: HashResult?
    public var networkEvents: [NetworkRecord] = []
    public var filesystemEvents: [FilesystemRecord] = []
    public var performanceEvents: [PerformanceRecord] = []
    public var capabilities: CapabilityResponse?
    public var unknownFields = ProtobufUnknownFields()

    public init() {}

    public mutating func read(_ field: inout ProtobufReader) throws(ProtobufError) {
        switch field.number {
        case 1: try field.take(.string, &taskID)
        case 2: try field.take(.bool, &success)
        case 3: try field.take(.string, &errorMessage)
        case 4: try field.take(&processes)
        case 5: try field.take(&hashResult)
        case 6: try field.take(&networkEvents)
        case 7: try field.take(&filesystemEvents)
        case 8: try field.take(&performanceEvents)
        case 100: try field.take(&capabilities)
        default: break
        }
    }

    public func write(to writer: inout ProtobufWriter) {
        writer.put(.string, 1, taskID)
        writer.put(.bool, 2, success)
        writer.put(.string, 3, errorMessage)
        writer.put(4, processes)
        writer.put(5, hashResult)
        writer.put(6, networkEvents)
        writer.put(7, filesystemEvents)
        writer.put(8, performanceEvents)
        writer.put(100, capabilities)
    }
}

/// What a file hashes to. `success`: whether that is what was expected.
public struct HashResult: ProtobufMessage, Hashable {
    public var hashValue = ""
    public var algorithm = ""
    public var filePath = ""
    public var success = false
    public var errorMessage: String?
    public var unknownFields = ProtobufUnknownFields()

    public init() {}

    public mutating func read(_ field: inout ProtobufReader) throws(ProtobufError) {
        switch field.number {
        case 1: try field.take(.string, &hashValue)
        case 2: try field.take(.string, &algorithm)
        case 3: try field.take(.string, &filePath)
        case 4: try field.take(.bool, &success)
        case 5: try field.take(.string, &errorMessage)
        default: break
        }
    }

    public func write(to writer: inout ProtobufWriter) {
        writer.put(.string, 1, hashValue)
        writer.put(.string, 2, algorithm)
        writer.put(.string, 3, filePath)
        writer.put(.bool, 4, success)
        writer.put(.string, 5, errorMessage)
    }
}
