// What the demo's two processes say to each other. In a program of yours these types would stand in a module that both sides import.

import Ginnel

struct Greet: Request {
    struct Response: Message { var text: String }

    static let method = "greet"
    var name: String
}

/// A stream of `count` items of about `size` bytes.
struct Pages: StreamRequest {
    struct Item: Message {
        var number: Int
        var text: String
    }

    static let method = "pages"
    var count: Int
    var size: Int
}

/// How far the service has come with its stream.
struct PagesSent: Request {
    struct Response: Message, Equatable {
        var sent: Int
        /// The producer stands in `send` and may not go on.
        var isWaiting: Bool
    }

    static let method = "pages_sent"
}

/// Asks the service to tell everybody something.
struct Announce: Request {
    struct Response: Message { var told: Int }

    static let method = "announce"
    var text: String
}

struct Announcement: Event {
    static let name = "announcement"
    var text: String
}

/// Work that takes ten seconds unless it is cancelled.
struct Work: Request {
    struct Response: Message {}

    static let method = "work"
    /// Under which the service notes what becomes of it.
    var label: String
}

/// Waits until the service has seen at least `count` works with this label begin, or end.
struct Seen: Request {
    enum What: String, Codable, Sendable {
        case begun
        case ended
    }

    struct Response: Message {
        /// How the last one ended.
        var ending: String
        /// How long it had worked.
        var milliseconds: Double
    }

    static let method = "seen"
    var label: String
    var what: What
    var count: Int
}

/// Waits until the service has refused somebody, and says what its log says of it.
struct Refusals: Request {
    struct Response: Message { var reasons: [String] }

    static let method = "refusals"
    var count: Int
}
