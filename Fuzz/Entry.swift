// Where libFuzzer comes in. One program for all targets; its last argument, after `-ignore_remaining_args=1`, names the one to run.

import GinnelTesting

private let target: FuzzTarget = {
    guard let target = CommandLine.arguments.last.flatMap({ FuzzTarget(rawValue: $0) }) else {
        fatalError("the last argument must be one of \(FuzzTarget.allCases.map(\.rawValue).joined(separator: ", "))")
    }
    return target
}()

@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    if let problem = target.problem(with: [UInt8](UnsafeBufferPointer(start: bytes, count: count))) {
        fatalError("\(target.rawValue): \(problem)")
    }
    return 0
}
