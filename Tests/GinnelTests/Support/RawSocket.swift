// A plain Unix socket, as a program in another language would use it: nothing here is Ginnel's. Blocks; tests use it through `RawPeer`.

import CTestSupport
import Foundation

struct RawSocketError: Error, Equatable, CustomStringConvertible {
    let operation: String
    let number: Int32
    var description: String { "\(operation): \(String(cString: strerror(number)))" }

    static func last(_ operation: String) -> RawSocketError { RawSocketError(operation: operation, number: errno) }
}

enum RawSocket {
    /// How long a read may wait for what never comes, in seconds: a test that is wrong ends with a sentence.
    private static let patience = 30

    static func open() throws -> Int32 {
        let descriptor = ts_socket()
        guard descriptor >= 0 else { throw RawSocketError.last("socket") }
        var limit = timeval(tv_sec: patience, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        return descriptor
    }

    static func connect(to path: String) throws -> Int32 {
        let descriptor = try open()
        guard withAddress(path, { Foundation.connect(descriptor, $0, $1) }) == 0 else {
            defer { close(descriptor) }
            throw RawSocketError.last("connect")
        }
        return descriptor
    }

    static func listen(at path: String) throws -> Int32 {
        let descriptor = try open()
        guard withAddress(path, { bind(descriptor, $0, $1) }) == 0, Foundation.listen(descriptor, 16) == 0 else {
            defer { close(descriptor) }
            throw RawSocketError.last("bind")
        }
        return descriptor
    }

    static func accept(_ listener: Int32) throws -> Int32 {
        let descriptor = ts_accept(listener)
        guard descriptor >= 0 else { throw RawSocketError.last("accept") }
        var limit = timeval(tv_sec: patience, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        return descriptor
    }

    /// All of `bytes`, waiting where the other side is slow.
    static func send(_ bytes: [UInt8], to descriptor: Int32) throws {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes { Foundation.send(descriptor, $0.baseAddress! + sent, $0.count - sent, noSignal) }
            guard count > 0 else { throw RawSocketError.last("send") }
            sent += count
        }
    }

    /// One write with descriptors.
    static func send(_ bytes: [UInt8], with descriptors: [Int32], to descriptor: Int32) throws {
        let count = bytes.withUnsafeBytes { ts_send(descriptor, $0.baseAddress, $0.count, descriptors, descriptors.count) }
        guard count == bytes.count else { throw RawSocketError.last("sendmsg") }
    }

    /// What there is, at least one byte; empty at the end of the stream.
    static func read(_ descriptor: Int32) throws -> [UInt8] {
        let (bytes, descriptors) = try readWithDescriptors(descriptor)
        for descriptor in descriptors { close(descriptor) }
        return bytes
    }

    /// The same with the descriptors that came, which are the caller's.
    static func readWithDescriptors(_ descriptor: Int32) throws -> (bytes: [UInt8], descriptors: [Int32]) {
        var descriptors = [Int32](repeating: -1, count: 16)
        var descriptorCount = 0
        let bytes = try [UInt8](unsafeUninitializedCapacity: 65_536) { buffer, count in
            let got = ts_receive(descriptor, buffer.baseAddress, buffer.count, &descriptors, descriptors.count, &descriptorCount)
            guard got >= 0 else { throw RawSocketError.last("recvmsg") }
            count = got
        }
        return (bytes, Array(descriptors.prefix(descriptorCount)))
    }

    private static func withAddress<Result>(_ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { room in
            precondition(path.utf8.count < room.count, "a test's socket has too long a path")
            room.copyBytes(from: path.utf8)
        }
        return withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
        }
    }

    #if canImport(Darwin)
    private static let noSignal: Int32 = 0
    #else
    private static let noSignal = Int32(MSG_NOSIGNAL)
    #endif
}
