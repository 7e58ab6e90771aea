// What the agent asks. There is one kind of request on the wire; `task_type` says which task it is, and the filter of the same domain what about.

public import Ginnel

/// A task. The reply is a `DetectionResult` with the same id.
public struct DetectionTask: ProtobufMessage, Hashable {
    public var taskID = ""
    public var taskType = TaskType(rawValue: 0)
    public var processFilter: ProcessFilter?
    public var hashCheck: HashCheck?
    public var metadata: String?
    public var networkFilter: NetworkFilter?
    public var filesystemFilter: FilesystemFilter?
    public var performanceFilter: PerformanceFilter?
    public var capabilities: CapabilityRequest?
    public var unknownFields = ProtobufUnknownFields()

    public init() {}

    public mutating func read(_ field: inout ProtobufReader) throws(ProtobufError) {
        switch field.number {
        case 1: try field.take(.string, &taskID)
        case 2: try field.take(.enumeration, &taskType)
        case 3: try field.take(&processFilter)
        case 4: try field.take(&hashCheck)
        case 5: try field.take(.string, &metadata)
        case 6: try field.take(&networkFilter)
        case 7: try field.take(&filesystemFilter)
        case 8: try field.take(&performanceFilter)
        case 100: try field.take(&capabilities)
        default: break
        }
    }

    public func write(to writer: inout ProtobufWriter) {
        writer.put(.string, 1, taskID)
        writer.put(.enumeration, 2, taskType)
        writer.put(3, processFilter)
        writer.put(4, hashCheck)
        writer.put(.string, 5, metadata)
        writer.put(6, networkFilter)
        writer.put(7, filesystemFilter)
        writer.put(8, performanceFilter)
        writer.put(100, capabilities)
    }
}

/// Which file is to be hashed, and what should come of it.
public struct HashCheck: ProtobufMessage, Hashable {
    public var expectedHash = ""
    public var hashAlgorithm = ""
    public var executablePath = ""
    public var unknownFields = ProtobufUnknownFields()

    public init() {}

    public mutating func read(_ field: inout ProtobufReader) throws(ProtobufError) {
        switch field.number {
        case 1: try field.take(.string, &expectedHash)
        case 2: try field.take(.string, &hashAlgorithm)
        case 3: try field.take(.string, &executablePath)
        default: break
        }
    }

    public func write(to writer: inout ProtobufWriter) {
        writer.put(.string, 1, expectedHash)
        writer.put(.string, 2, hashAlgorithm)
        writer.put(.string, 3, executablePath)
    }
}
