// What a backup consists of: the regular files of each category. A category is the folder of its name at the first level, and `files` is all that lies in no other category's
// folder, so that a directory without such folders is backed up too. Links are not followed, and the place of the backup itself is left out.

import Foundation

struct Listing {
    struct Item {
        let category: String
        /// Below the source.
        let path: String
        let size: Int
        let modified: Double
    }

    /// Something that is not in the backup, and why.
    struct Failure {
        let category: String
        let path: String
        let reason: String

        init(_ category: String, _ path: String, _ error: any Error) { self.init(category, path, Self.sentence(error)) }

        init(_ category: String, _ path: String, _ reason: String) { (self.category, self.path, self.reason) = (category, path, reason) }

        /// What the system says of it, where it is the system's error.
        private static func sentence(_ error: any Error) -> String {
            var current = error as NSError
            while current.domain != NSPOSIXErrorDomain, let cause = current.userInfo[NSUnderlyingErrorKey] as? any Error { current = cause as NSError }
            return current.domain == NSPOSIXErrorDomain ? String(cString: strerror(Int32(truncatingIfNeeded: current.code))) : error.localizedDescription
        }
    }

    /// All that a service of this kind asks for.
    static let known = ["files", "browsers", "email", "system"]
    /// What lies in no other's folder.
    private static let rest = "files"

    private(set) var items: [Item] = []
    private(set) var failures: [Failure] = []
    private let source: URL
    private let left: String

    /// - Parameters:
    ///   - categories: names of folders; what is no name is a failure, and what does not exist is empty.
    ///   - target: is left out with all that is below it.
    init(of categories: [String], in source: URL, without target: URL) {
        self.source = source
        left = target.path
        var seen: Set<String> = []
        for category in categories where seen.insert(category).inserted {
            if category == Self.rest {
                list(category, "", skipping: Set(Self.known + categories).subtracting([Self.rest]))
            } else if category.isEmpty || category == "." || category == ".." || category.contains("/") {
                failures.append(Failure(category, "", "this is no name of a category"))
            } else if FileManager.default.fileExists(atPath: source.appendingPathComponent(category).path) {
                list(category, category)
            }
        }
    }

    var categories: [String] { Set(items.map(\.category) + failures.map(\.category)).sorted() }

    /// In the order of their names.
    private mutating func list(_ category: String, _ path: String, skipping skipped: Set<String> = []) {
        let place = path.isEmpty ? source.path : source.appendingPathComponent(path).path
        guard place != left else { return }
        do {
            let attributes = try FileManager.default.attributesOfItem(atPath: place)
            switch attributes[.type] as? FileAttributeType {
            case .typeRegular where path == Manifest.name:
                failures.append(Failure(category, path, "the list of the backup has this name"))
            case .typeRegular:
                let modified = (attributes[.modificationDate] as? Date)?.timeIntervalSince1970 ?? 0
                items.append(Item(category: category, path: path, size: attributes[.size] as? Int ?? 0, modified: modified))
            case .typeDirectory:
                for name in try FileManager.default.contentsOfDirectory(atPath: place).sorted() where !skipped.contains(name) {
                    list(category, path.isEmpty ? name : "\(path)/\(name)")
                }
            default: break
            }
        } catch {
            failures.append(Failure(category, path, error))
        }
    }
}
