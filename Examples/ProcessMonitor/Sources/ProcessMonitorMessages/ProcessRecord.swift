// One process.

public import Ginnel

/// One process at the time of collection. `startTime` counts seconds and `collectionTime` milliseconds since 1970, `cpuUsage` is in percent of one
/// processor since the start, `memoryUsage` in bytes.
public struct ProcessRecord: ProtobufMessage, Hashable {
    public var pid: UInt32 = 0
    public var ppid: UInt32?
    public var name = ""
    public var executablePath: String?
    public var commandLine: [String] = []
    public var startTime: Int64?
    public var cpuUsage: Double?
    public var memoryUsage: UInt64?
    public var executableHash: String?
    public var hashAlgorithm: String?
    public var userID: String?
    public var accessible = false
    public var fileExists = false
    public var collectionTime: Int64 = 0
    public var ssdeepHash: String?
    public var onDiskMismatch = false
    public var ssdeepDegraded = false
    public var unknownFields = ProtobufUnknownFields()

    public init() {}

    public mutating func read(_ field: inout ProtobufReader) throws(ProtobufError) {
        switch field.number {
        case 1: try field.take(.uint32, &pid)
        case 2: try field.take(.uint32, &ppid)
        case 3: try field.take(.string, &name)
        case 4: try field.take(.string, &executablePath)
        case 5: try field.take(.string, &commandLine)
        case 6: try field.take(.int64, &startTime)
        case 7: try field.take(.double, &cpuUsage)
        case 8: try field.take(.uint64, &memoryUsage)
        case 9: try field.take(.string, &executableHash)
        case 10: try field.take(.string, &hashAlgorithm)
        case 11: try field.take(.string, &userID)
        case 12: try field.take(.bool, &accessible)
        case 13: try field.take(.bool, &fileExists)
        case 14: try field.take(.int64, &collectionTime)
        case 15: try field.take(.string, &ssdeepHash)
        case 16: try field.take(.bool, &onDiskMismatch)
        case 17: try field.take(.bool, &ssdeepDegraded)
        default: break
        }
    }

    public func write(to writer: inout ProtobufWriter) {
        writer.put(.uint32, 1, pid)
        writer.put(.uint32, 2, ppid)
        writer.put(.string, 3, name)
        writer.put(.string, 4, executablePath)
        writer.put(.string, 5, commandLine)
        writer.put(.int64, 6, startTime)
        writer.put(.double, 7, cpuUsage)
        writer.put(.uint64, 8, memoryUsage)
        writer.put(.string, 9, executableHash)
        writer.put(.string, 10, hashAlgorithm)
        writer.put(.string, 11, userID)
        writer.put(.bool, 12, accessible)
        writer.put(.bool, 13, fileExists)
        writer.put(.int64, 14, collectionTime)
        writer.put(.string, 15, ssdeepHash)
        writer.put(.bool, 16, onDiskMismatch)
        writer.put(.bool, 17, ssdeepDegraded)
    }
}
