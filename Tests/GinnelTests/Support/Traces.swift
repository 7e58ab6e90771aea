// What a segment and its doorbells leave behind in this process as long as anybody here keeps them: descriptors and mappings, by the kernel's numbers.

import Foundation

final class Traces: Sendable {
    /// Copies, which keep the kernel from giving the numbers to others.
    private let held: Set<Int32>
    /// Lines of /proc/self/fdinfo/N that only these objects have.
    private let marks: Set<String>
    private let inode: String?

    /// Takes note of objects that are open now.
    init(of descriptors: [Int32]) {
        let held = descriptors.map { fcntl($0, F_DUPFD_CLOEXEC, 0) }
        let marks = held.compactMap { Self.mark($0) }
        self.held = Set(held)
        self.marks = Set(marks)
        inode = marks.first { $0.hasPrefix("ino:") }?.split(separator: "\t").last.map(String.init)
    }

    deinit { for descriptor in held { close(descriptor) } }

    /// The descriptors and mappings of them that there are now, but for our copies.
    var left: [String] {
        let numbers = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd"))?.compactMap { Int32($0) } ?? []
        let open = numbers.filter { !held.contains($0) && Self.mark($0).map(marks.contains) ?? false }.map { "descriptor \($0)" }
        // Read in pieces: a look at it whole ends with the first page.
        let maps = (try? FileHandle(forReadingAtPath: "/proc/self/maps")?.readToEnd()).map { String(decoding: $0, as: UTF8.self) } ?? ""
        return open + maps.split(separator: "\n").filter { line in line.contains("/memfd:") && inode.map { line.contains(" \($0) ") } ?? false }.map(String.init)
    }

    private static func mark(_ descriptor: Int32) -> String? {
        guard let lines = try? String(contentsOfFile: "/proc/self/fdinfo/\(descriptor)", encoding: .utf8).split(separator: "\n") else { return nil }
        if let bell = lines.first(where: { $0.hasPrefix("eventfd-id:") }) { return String(bell) }
        let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(descriptor)")
        return target?.hasPrefix("/memfd:") == true ? lines.first { $0.hasPrefix("ino:") }.map(String.init) : nil
    }
}

extension RawPeer {
    /// Takes note of the descriptors that have come, and closes them.
    func tracesOfDescriptors() -> Traces {
        let descriptors = takeDescriptors()
        defer { for descriptor in descriptors { Foundation.close(descriptor) } }
        return Traces(of: descriptors)
    }
}
