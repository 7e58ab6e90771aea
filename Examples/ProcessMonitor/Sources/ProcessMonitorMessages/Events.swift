// What the domains beyond processes report. This monitor has none of them; an agent that speaks with another one reads them.

public import Ginnel

public struct NetworkRecord: ProtobufMessage, Hashable {
    public var connectionID = ""
    public var sourceAddress = ""
    public var destinationAddress = ""
    public var networkProtocol = ""
    public var state = ""
    public var pid: UInt32?
    public var bytesSent: UInt64 = 0
    public var bytesReceived: UInt64 = 0
    public var collectionTime: Int64 = 0
    public var unknownFields = ProtobufUnknownFields()

    public init() {}

    public mutating func read(_ field: inout ProtobufReader) throws(ProtobufError) {
        switch field.number {
        case 1: try field.take(.string, &connectionID)
        case 2: try field.take(.string, &sourceAddress)
        case 3: try field.take(.string, &destinationAddress)
        case 4: try field.take(.string, &networkProtocol)
        case 5: try field.take(.string, &state)
        case 6: try field.take(.uint32, &pid)
        case 7: try field.take(.uint64, &bytesSent)
        case 8: try field.take(.uint64, &bytesReceived)
        case 9: try field.take(.int64, &collectionTime)
        default: break
        }
    }

    public func write(to writer: inout ProtobufWriter) {
        writer.put(.string, 1, connectionID)
        writer.put(.string, 2, sourceAddress)
        writer.put(.string, 3, destinationAddress)
        writer.put(.string, 4, networkProtocol)
        writer.put(.string, 5, state)
        writer.put(.uint32, 6, pid)
        writer.put(.uint64, 7, bytesSent)
        writer.put(.uint64, 8, bytesReceived)
        writer.put(.int64, 9, collectionTime)
    }
}

public struct FilesystemRecord: ProtobufMessage, Hashable {
    public var operationID = ""
    public var path = ""
    public var operationType = ""
    public var pid: UInt32?
    public var fileSize: UInt64?
    public var permissions: String?
    public var fileHash: String?
    public var collectionTime: Int64 = 0
    public var unknownFields = ProtobufUnknownFields()

    public init() {}

    public mutating func read(_ field: inout ProtobufReader) throws(ProtobufError) {
        switch field.number {
        case 1: try field.take(.string, &operationID)
        case 2: try field.take(.string, &path)
        case 3: try field.take(.string, &operationType)
        case 4: try field.take(.uint32, &pid)
        case 5: try field.take(.uint64, &fileSize)
        case 6: try field.take(.string, &permissions)
        case 7: try field.take(.string, &fileHash)
        case 8: try field.take(.int64, &collectionTime)
        default: break
        }
    }

    public func write(to writer: inout ProtobufWriter) {
        writer.put(.string, 1, operationID)
        writer.put(.string, 2, path)
        writer.put(.string, 3, operationType)
        writer.put(.uint32, 4, pid)
        writer.put(.uint64, 5, fileSize)
        writer.put(.string, 6, permissions)
        writer.put(.string, 7, fileHash)
        writer.put(.int64, 8, collectionTime)
    }
}

public struct PerformanceRecord: ProtobufMessage, Hashable {
    public var metricID = ""
    public var metricName = ""
    public var value: Double = 0
    public var unit = ""
    public var pid: UInt32?
    public var component = ""
    public var collectionTime: Int64 = 0
    public var unknownFields = ProtobufUnknownFields()

    public init() {}

    public mutating func read(_ field: inout ProtobufReader) throws(ProtobufError) {
        switch field.number {
        case 1: try field.take(.string, &metricID)
        case 2: try field.take(.string, &metricName)
        case 3: try field.take(.double, &value)
        case 4: try field.take(.string, &unit)
        case 5: try field.take(.uint32, &pid)
        case 6: try field.take(.string, &component)
        case 7: try field.take(.int64, &collectionTime)
        default: break
        }
    }

    public func write(to writer: inout ProtobufWriter) {
        writer.put(.string, 1, metricID)
        writer.put(.string, 2, metricName)
        writer.put(.double, 3, value)
        writer.put(.string, 4, unit)
        writer.put(.uint32, 5, pid)
        writer.put(.string, 6, component)
        writer.put(.int64, 7, collectionTime)
    }
}
