// What is recorded: a desktop that does not exist, with two monitors and three windows that wander about on them. Where everything is depends on the time alone, so that pictures, lists and
// recordings tell of the same thing.

import RecorderMessages

struct Desktop: Sendable {
    /// How fast time goes for the windows.
    static let framesPerSecond = 10

    struct Window: Sendable {
        let handle: Int64
        let title: String
        let process: String
        let width: Int
        let height: Int
        /// Pixels a frame.
        let stepX: Int
        let stepY: Int
        let color: UInt8
    }

    static let monitors = [
        MonitorInfo(id: "SYN-1", name: "Test pattern", x: 0, y: 0, width: 320, height: 200, isPrimary: true),
        MonitorInfo(id: "SYN-2", name: "Test pattern, the smaller one", x: 320, y: 0, width: 240, height: 160, isPrimary: false, scaleFactor: 1.5),
    ]
    static let windows = [
        Window(handle: 101, title: "Clock", process: "pattern-clock", width: 96, height: 64, stepX: 3, stepY: 1, color: 2),
        Window(handle: 102, title: "Bars", process: "pattern-bars", width: 128, height: 72, stepX: 2, stepY: 2, color: 3),
        Window(handle: 103, title: "Ramp", process: "pattern-ramp", width: 64, height: 48, stepX: 5, stepY: 3, color: 6),
    ]
    private static let whole = Rectangle(x: 0, y: 0, width: 560, height: 200)

    /// A mark that a client has asked for.
    var highlight: Rectangle?

    // MARK: Where everything is

    static func monitor(_ id: String) -> MonitorInfo? { monitors.first { $0.id == id } }
    static func window(_ handle: Int64) -> Window? { windows.first { $0.handle == handle } }

    static func area(of monitor: MonitorInfo) -> Rectangle {
        Rectangle(x: Int(monitor.x), y: Int(monitor.y), width: Int(monitor.width), height: Int(monitor.height))
    }

    /// Where a window is at a frame: it goes to and fro.
    static func area(of window: Window, at frame: Int) -> Rectangle {
        func place(_ step: Int, _ room: Int) -> Int {
            let way = frame * step % (2 * room)
            return way <= room ? way : 2 * room - way
        }
        return Rectangle(
            x: place(window.stepX, whole.width - window.width), y: place(window.stepY, whole.height - window.height), width: window.width, height: window.height)
    }

    static func info(of window: Window, at frame: Int) -> WindowInfo {
        let area = area(of: window, at: frame)
        return WindowInfo(
            handle: window.handle, title: window.title, processName: window.process, x: Int32(area.x), y: Int32(area.y), width: UInt32(area.width),
            height: UInt32(area.height))
    }

    // MARK: What it looks like

    func picture(of area: Rectangle, at frame: Int) -> Picture { whole(at: frame).cropped(to: area) }

    /// A window as if nothing lay over it.
    func picture(of window: Window, at frame: Int) -> Picture {
        var picture = Picture(width: window.width, height: window.height)
        Self.draw(window, in: Rectangle(x: 0, y: 0, width: window.width, height: window.height), at: frame, &picture)
        return picture
    }

    private func whole(at frame: Int) -> Picture {
        var picture = Picture(width: Self.whole.width, height: Self.whole.height, Palette.background)
        for (index, monitor) in Self.monitors.enumerated() {
            let area = Self.area(of: monitor)
            // A bar that runs over each monitor, so that no two frames are the same.
            picture.fill(area, UInt8(80 + 40 * index))
            let position = (frame * 4) % area.width
            picture.fill(Rectangle(x: area.x + position, y: area.y, width: 4, height: area.height), 200)
        }
        for window in Self.windows { Self.draw(window, in: Self.area(of: window, at: frame), at: frame, &picture) }
        if let highlight { picture.frame(highlight, thickness: 3, Palette.highlight) }
        return picture
    }

    /// A title bar, and bars of color that move through the window.
    private static func draw(_ window: Window, in area: Rectangle, at frame: Int, _ picture: inout Picture) {
        picture.fill(area, window.color)
        for bar in 0..<8 {
            let x = (bar * area.width / 8 + frame) % area.width
            let wide = min(area.width / 16, area.width - x)
            picture.fill(Rectangle(x: area.x + x, y: area.y + 8, width: wide, height: area.height - 8), UInt8(1 + bar))
        }
        picture.fill(Rectangle(x: area.x, y: area.y, width: area.width, height: 8), 8)
        picture.frame(area, thickness: 1, 0)
    }
}
