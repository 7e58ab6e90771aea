// Somebody who took a service's place: accepts one connection, says nothing, and tells how many bytes it was given before the end. Says `squatting`, `read N`.

import Foundation

enum Squatting {
    static func run(_ options: Options) {
        let path = options["endpoint"] ?? ""
        #if canImport(Darwin)
        let listener = socket(AF_UNIX, SOCK_STREAM, 0)
        #else
        let listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        #endif
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let bound = withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(listener, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
        }
        guard bound == 0, chmod(path, 0o666) == 0, listen(listener, 8) == 0 else { return say("failed \(errno)") }
        say("squatting")
        let connection = accept(listener, nil, nil)
        var total = 0
        var buffer = [UInt8](repeating: 0, count: 4096)
        while case let count = recv(connection, &buffer, buffer.count, 0), count > 0 { total += count }
        say("read \(total)")
    }
}
