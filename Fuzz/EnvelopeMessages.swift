// Where libFuzzer comes in for the messages of the envelope format, which are types above the core.

@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    if let problem = EnvelopeLaw.problem(with: [UInt8](UnsafeBufferPointer(start: bytes, count: count))) { fatalError("envelope-messages: \(problem)") }
    return 0
}
