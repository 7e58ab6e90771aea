// What a ring is called, by its programs and by the operating system. A type of its own, so that who creates a ring and who opens or removes it cannot reckon differently.

internal import CGinnelPlatform
internal import GinnelCore

extension SharedMemoryBuffer {
    /// The name of a ring. Names are one space for all programs of a machine; begin them with your program's own.
    public struct Name: Sendable, Hashable {
        private let text: String
        private let isPerBoot: Bool

        /// This very name, 1 to 254 bytes on Linux (30 on macOS) without a slash; on Windows 1 to 200 letters, digits, dashes and underscores.
        public init(_ text: String) { self.init(text, isPerBoot: false) }

        /// A name that every system takes: `_` stands for each character of `text` that is no ASCII letter, digit, `-` or `_`, and it is cut to 200 characters (30 on macOS).
        ///
        /// - Parameter unique: adds a dash and 64 random bits in hexadecimal, so that no other program can guess or take the name before. Who creates the ring hands the whole name to the other
        ///   program (`description`), which opens it as `Name(_:)`. Default false.
        /// - Throws: `GinnelError` when the system's generator fails.
        public static func sanitised(_ text: String, unique: Bool = false) throws -> Name {
            Name(SegmentName.sanitised(text, suffix: unique ? try Identity.random().low : nil, limit: gn_segment_name_limit()))
        }

        /// The name that programs of the other system make of `text` (docs/formats/named-ring.md): slashes become `_`, and on Linux eight digits are added that change with each boot of the machine.
        public static func perBoot(_ text: String) -> Name { Name(text, isPerBoot: true) }

        private init(_ text: String, isPerBoot: Bool) {
            self.text = text
            self.isPerBoot = isPerBoot
        }

        /// What the operating system sees: the file's name under `/dev/shm` on Linux.
        ///
        /// Throws `GinnelError`: `.invalid` for one that is empty or has a slash or a NUL, `.nameTooLong`.
        public var systemName: String {
            get throws {
                let limit = gn_segment_name_limit()
                let name = isPerBoot ? SegmentName.perBoot(text, boot: try System.boot, limit: limit) : text
                guard !text.isEmpty, !name.utf8.contains(where: { $0 == 0 || $0 == UInt8(ascii: "/") }) else {
                    throw GinnelError(.invalid, "the name of a shared memory ring is not empty and has no slash and no NUL; \"\(text.printable)\" is none")
                }
                guard name.utf8.count <= limit else {
                    throw GinnelError(.nameTooLong, "the name of a shared memory ring has at most \(limit) bytes on this system; \"\(name.printable)\" has \(name.utf8.count)")
                }
                return name
            }
        }
    }
}

extension SharedMemoryBuffer.Name: ExpressibleByStringLiteral {
    public init(stringLiteral text: String) { self.init(text) }
}

extension SharedMemoryBuffer.Name: CustomStringConvertible {
    /// The name as it was given.
    public var description: String { text.printable }
}
