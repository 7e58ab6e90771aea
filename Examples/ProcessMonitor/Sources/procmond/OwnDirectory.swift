import Foundation
import Ginnel

enum OwnDirectory {
    /// The directory of an endpoint that is a path: made for this user alone when it is missing. One that is there stays as it is; the service checks whose it is.
    static func make(for endpoint: Endpoint) throws {
        guard endpoint.description.hasPrefix("/") else { return }
        let directory = URL(fileURLWithPath: endpoint.description).deletingLastPathComponent().path
        guard !FileManager.default.fileExists(atPath: directory) else { return }
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    }
}
