// What can be recorded: windows, monitors and sources of sound.

import Ginnel

public struct WindowInfo: Codable, Sendable, Equatable {
    public var handle: Int64
    public var title: String
    public var processName: String
    public var x: Int32
    public var y: Int32
    public var width: UInt32
    public var height: UInt32

    public init(handle: Int64, title: String, processName: String, x: Int32 = 0, y: Int32 = 0, width: UInt32 = 0, height: UInt32 = 0) {
        (self.handle, self.title, self.processName) = (handle, title, processName)
        (self.x, self.y, self.width, self.height) = (x, y, width, height)
    }

    public init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            handle: try members.decode(Int64.self, forKey: .handle), title: try members.decode(String.self, forKey: .title),
            processName: try members.decode(String.self, forKey: .processName), x: try members.decodeIfPresent(Int32.self, forKey: .x) ?? 0,
            y: try members.decodeIfPresent(Int32.self, forKey: .y) ?? 0, width: try members.decodeIfPresent(UInt32.self, forKey: .width) ?? 0,
            height: try members.decodeIfPresent(UInt32.self, forKey: .height) ?? 0)
    }
}

public struct MonitorInfo: Codable, Sendable, Equatable {
    public var id: String
    public var name: String
    public var x: Int32
    public var y: Int32
    public var width: UInt32
    public var height: UInt32
    public var isPrimary: Bool
    public var scaleFactor: Double

    public init(id: String, name: String, x: Int32, y: Int32, width: UInt32, height: UInt32, isPrimary: Bool, scaleFactor: Double = 1) {
        (self.id, self.name, self.isPrimary, self.scaleFactor) = (id, name, isPrimary, scaleFactor)
        (self.x, self.y, self.width, self.height) = (x, y, width, height)
    }

    public init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            id: try members.decode(String.self, forKey: .id), name: try members.decode(String.self, forKey: .name),
            x: try members.decode(Int32.self, forKey: .x), y: try members.decode(Int32.self, forKey: .y),
            width: try members.decode(UInt32.self, forKey: .width), height: try members.decode(UInt32.self, forKey: .height),
            isPrimary: try members.decode(Bool.self, forKey: .isPrimary), scaleFactor: try members.decodeIfPresent(Double.self, forKey: .scaleFactor) ?? 1)
    }
}

public struct AudioSource: Codable, Sendable, Equatable {
    public enum Direction: String, Codable, Sendable {
        case input
        case output
    }

    public var id: String
    public var name: String
    public var sourceType: Direction

    public init(id: String, name: String, sourceType: Direction) { (self.id, self.name, self.sourceType) = (id, name, sourceType) }
}

public struct Windows: Tagged {
    public static let type = "windows"
    public var windows: [WindowInfo]
    public init(windows: [WindowInfo]) { self.windows = windows }
}

public struct Monitors: Tagged {
    public static let type = "monitors"
    public var monitors: [MonitorInfo]
    public init(monitors: [MonitorInfo]) { self.monitors = monitors }
}

public struct AudioSources: Tagged {
    public static let type = "audio_sources"
    public var sources: [AudioSource]
    public init(sources: [AudioSource]) { self.sources = sources }
}

public struct ListWindows: RecorderRequest {
    public typealias Response = Windows
    public static let method = "list_windows"
    public init() {}
}

public struct ListMonitors: RecorderRequest {
    public typealias Response = Monitors
    public static let method = "list_monitors"
    public init() {}
}

public struct ListAudioSources: RecorderRequest {
    public typealias Response = AudioSources
    public static let method = "list_audio_sources"
    public init() {}
}
