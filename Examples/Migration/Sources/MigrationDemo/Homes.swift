// Something to back up: a home for each user, with files whose bytes are known.

import Foundation

enum Homes {
    static let categories = ["files", "email"]
    static let filesPerCategory = 5
    static let size = 300_000

    /// Makes the homes `1`, `2` … below `directory`.
    static func make(_ count: Int, in directory: URL) throws {
        for home in 1...count {
            for category in categories {
                let folder = directory.appendingPathComponent("\(home)/\(category)/deep")
                try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
                for number in 0..<filesPerCategory {
                    let place = number == 0 ? folder : folder.deletingLastPathComponent()
                    try bytes(seed: UInt64(home * 100 + number + category.count * 1000)).write(to: place.appendingPathComponent("\(number).bin"))
                }
            }
        }
    }

    private static func bytes(seed: UInt64) -> Data {
        var (state, data) = (seed, Data(capacity: size + 8))
        while data.count < size {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            withUnsafeBytes(of: state) { data.append(contentsOf: $0) }
        }
        return data
    }

    /// How many files of the copy are the same as in the original, to the byte.
    static func same(_ original: URL, _ copy: URL) throws -> Int {
        try FileManager.default.subpathsOfDirectory(atPath: original.path).count { path in
            path.hasSuffix(".bin") && FileManager.default.contentsEqual(atPath: original.appendingPathComponent(path).path, andPath: copy.appendingPathComponent(path).path)
        }
    }

    static func total(_ count: Int) -> Int { count * categories.count * filesPerCategory }
}
