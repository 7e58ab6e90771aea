// What a monitor can do. The schema defines these messages and gives them no place; here they travel in field 100 of task and result, which programs
// that do not know it pass over.

public import Ginnel

public struct CapabilityRequest: ProtobufMessage, Hashable {
    public var clientID = ""
    public var requestedDomains: [MonitoringDomain] = []
    public var clientVersion: String?
    public var unknownFields = ProtobufUnknownFields()

    public init() {}

    public mutating func read(_ field: inout ProtobufReader) throws(ProtobufError) {
        switch field.number {
        case 1: try field.take(.string, &clientID)
        case 2: try field.take(.enumeration, &requestedDomains)
        case 3: try field.take(.string, &clientVersion)
        default: break
        }
    }

    public func write(to writer: inout ProtobufWriter) {
        writer.put(.string, 1, clientID)
        writer.put(.enumeration, 2, requestedDomains)
        writer.put(.string, 3, clientVersion)
    }
}

public struct CapabilityResponse: ProtobufMessage, Hashable {
    public var negotiationSuccess = false
    public var capabilities: CollectionCapabilities?
    public var errorMessage: String?
    public var serverVersion: String?
    public var unknownFields = ProtobufUnknownFields()

    public init() {}

    public mutating func read(_ field: inout ProtobufReader) throws(ProtobufError) {
        switch field.number {
        case 1: try field.take(.bool, &negotiationSuccess)
        case 2: try field.take(&capabilities)
        case 3: try field.take(.string, &errorMessage)
        case 4: try field.take(.string, &serverVersion)
        default: break
        }
    }

    public func write(to writer: inout ProtobufWriter) {
        writer.put(.bool, 1, negotiationSuccess)
        writer.put(2, capabilities)
        writer.put(.string, 3, errorMessage)
        writer.put(.string, 4, serverVersion)
    }
}

public struct CollectionCapabilities: ProtobufMessage, Hashable {
    public var supportedDomains: [MonitoringDomain] = []
    public var advanced: AdvancedCapabilities?
    public var unknownFields = ProtobufUnknownFields()

    public init() {}

    public mutating func read(_ field: inout ProtobufReader) throws(ProtobufError) {
        switch field.number {
        case 1: try field.take(.enumeration, &supportedDomains)
        case 2: try field.take(&advanced)
        default: break
        }
    }

    public func write(to writer: inout ProtobufWriter) {
        writer.put(.enumeration, 1, supportedDomains)
        writer.put(2, advanced)
    }
}

/// Beyond looking now and then: hooks in the kernel, reports as things happen, the whole machine and not this user's part alone.
public struct AdvancedCapabilities: ProtobufMessage, Hashable {
    public var kernelLevel = false
    public var realtime = false
    public var systemWide = false
    public var unknownFields = ProtobufUnknownFields()

    public init() {}

    public mutating func read(_ field: inout ProtobufReader) throws(ProtobufError) {
        switch field.number {
        case 1: try field.take(.bool, &kernelLevel)
        case 2: try field.take(.bool, &realtime)
        case 3: try field.take(.bool, &systemWide)
        default: break
        }
    }

    public func write(to writer: inout ProtobufWriter) {
        writer.put(.bool, 1, kernelLevel)
        writer.put(.bool, 2, realtime)
        writer.put(.bool, 3, systemWide)
    }
}
