// Small pictures of what can be recorded, and marks on the screen that show where it is.

public import Foundation
import Ginnel

public struct Thumbnail: Tagged {
    public static let type = "thumbnail"
    /// A JPEG file. In base64 on the wire.
    public var data: Data
    public var width: UInt32
    public var height: UInt32
    public init(data: Data, width: UInt32, height: UInt32) { (self.data, self.width, self.height) = (data, width, height) }
}

/// At most 320 × 180.
public struct GetWindowThumbnail: RecorderRequest {
    public typealias Response = Thumbnail
    public static let method = "get_window_thumbnail"
    public var windowHandle: Int64
    public init(windowHandle: Int64) { self.windowHandle = windowHandle }
    public func check() throws(InvalidRequest) { try Rules.check(window: windowHandle) }
}

/// At most 320 × 180.
public struct GetDisplayThumbnail: RecorderRequest {
    public typealias Response = Thumbnail
    public static let method = "get_display_thumbnail"
    public var monitorId: String
    public init(monitorId: String) { self.monitorId = monitorId }
    public func check() throws(InvalidRequest) { try Rules.check(monitor: monitorId) }
}

/// At most 400 × 300.
public struct GetRegionPreview: RecorderRequest {
    public typealias Response = Thumbnail
    public static let method = "get_region_preview"
    public var monitorId: String
    public var x: Int32
    public var y: Int32
    public var width: UInt32
    public var height: UInt32

    public init(monitorId: String, x: Int32, y: Int32, width: UInt32, height: UInt32) {
        (self.monitorId, self.x, self.y, self.width, self.height) = (monitorId, x, y, width, height)
    }

    public func check() throws(InvalidRequest) {
        try Rules.check(monitor: monitorId)
        try Rules.check(x: x, y: y)
        try Rules.check(width: width, height: height)
    }
}

public struct ShowDisplayHighlight: RecorderRequest {
    public typealias Response = OK
    public static let method = "show_display_highlight"
    public var x: Int32
    public var y: Int32
    public var width: Int32
    public var height: Int32
    public init(x: Int32, y: Int32, width: Int32, height: Int32) { (self.x, self.y, self.width, self.height) = (x, y, width, height) }
    public func check() throws(InvalidRequest) { try Rules.check(x: x, y: y) }
}

public struct ShowWindowHighlight: RecorderRequest {
    public typealias Response = OK
    public static let method = "show_window_highlight"
    public var windowHandle: Int64
    public init(windowHandle: Int64) { self.windowHandle = windowHandle }
    public func check() throws(InvalidRequest) { try Rules.check(window: windowHandle) }
}

public struct ClearHighlight: RecorderRequest {
    public typealias Response = OK
    public static let method = "clear_highlight"
    public init() {}
}
