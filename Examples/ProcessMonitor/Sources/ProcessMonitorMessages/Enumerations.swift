// The schema's enumerations. They are open: a number that a later version adds is kept, and answered as unknown.

public import Ginnel

/// What is to be done.
public struct TaskType: ProtobufEnumeration {
    public let rawValue: Int32

    public init(rawValue: Int32) { self.rawValue = rawValue }

    public static let enumerateProcesses = TaskType(rawValue: 0)
    public static let checkProcessHash = TaskType(rawValue: 1)
    public static let monitorProcessTree = TaskType(rawValue: 2)
    public static let verifyExecutable = TaskType(rawValue: 3)
    public static let monitorNetworkConnections = TaskType(rawValue: 4)
    public static let trackFileOperations = TaskType(rawValue: 5)
    public static let collectPerformanceMetrics = TaskType(rawValue: 6)
}

/// What a monitor looks at.
public struct MonitoringDomain: ProtobufEnumeration {
    public let rawValue: Int32

    public init(rawValue: Int32) { self.rawValue = rawValue }

    public static let process = MonitoringDomain(rawValue: 0)
    public static let network = MonitoringDomain(rawValue: 1)
    public static let filesystem = MonitoringDomain(rawValue: 2)
    public static let performance = MonitoringDomain(rawValue: 3)
}
