// Lists of strings as C wants them.

enum CStrings {
    /// Calls `body` with copies of `strings` that end with NUL, and a null pointer behind the last.
    static func with<Result>(_ strings: [String], _ body: ([UnsafePointer<CChar>?]) -> Result) -> Result {
        let copies = strings.map { string in
            let bytes = UnsafeMutablePointer<CChar>.allocate(capacity: string.utf8.count + 1)
            for (index, byte) in string.utf8.enumerated() { bytes[index] = CChar(bitPattern: byte) }
            bytes[string.utf8.count] = 0
            return bytes
        }
        defer { for copy in copies { copy.deallocate() } }
        return body(copies.map { UnsafePointer($0) } + [nil])
    }
}
