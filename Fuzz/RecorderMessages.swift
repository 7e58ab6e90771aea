// Where libFuzzer comes in for the messages of Examples/Recorder, which are types above the library.

@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    if let problem = MessageLaw.problem(with: [UInt8](UnsafeBufferPointer(start: bytes, count: count))) { fatalError("recorder-messages: \(problem)") }
    return 0
}
