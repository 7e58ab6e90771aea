// Messages of the process monitor that its own implementation and Google's have written (docs/formats/checksummed.md), field by field.

import Ginnel
import GinnelTesting
import ProcessMonitorSchema
import Testing

@Suite struct ProcessMonitorVectorTests {
    private static func bytes(_ hex: String) -> [UInt8] {
        let digits = hex.compactMap(\.hexDigitValue).map(UInt8.init)
        return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }

    @Test(arguments: [
        ("0a087461736b2d313233", "task-123", nil), ("0a0274312a166361706162696c6974795f6e65676f74696174696f6e", "t1", DetectionTask.negotiation),
    ])
    func `known tasks are read and written`(hex: String, id: String, metadata: String?) throws {
        var task = DetectionTask(id, .enumerateProcesses)
        task.metadata = metadata
        #expect(try task.serializedBytes() == Self.bytes(hex))
        #expect(try DetectionTask(serializedBytes: Self.bytes(hex)) == task)
    }

    @Test func `known results are read and written`() throws {
        var process = ProcessRecord()
        process.pid = 1
        process.ppid = 0
        process.name = "init"
        process.accessible = true
        process.fileExists = true
        process.collectionTime = 1_700_000_000_000
        var found = DetectionResult(done: "t")
        found.processes = [process]
        let known = [
            (DetectionResult(done: "task-123"), "0a087461736b2d3132331001"), (DetectionResult("task-123", failed: "boom"), "0a087461736b2d3132331a04626f6f6d"),
            (found, "0a017410012215080110001a04696e6974600168017080d095ffbc31"),
        ]
        for (result, hex) in known {
            #expect(try result.serializedBytes() == Self.bytes(hex))
            #expect(try DetectionResult(serializedBytes: Self.bytes(hex)) == result)
        }
    }

    @Test func `a task of an earlier version and one of a later one are both read`() throws {
        let early = try DetectionTask(serializedBytes: Self.bytes("0a0161"))
        #expect(early == DetectionTask("a", .enumerateProcesses))
        // A type and two fields that no version so far has.
        let late = Self.bytes("0a0161102a" + "9a060161" + "c03e07")
        let task = try DetectionTask(serializedBytes: late)
        #expect(task.taskType.rawValue == 42)
        #expect(task.unknownFields.bytes == Self.bytes("9a060161c03e07"))
        #expect(try task.serializedBytes() == late)
    }

    @Test func `an empty task has no bytes, so it cannot be sent`() throws {
        #expect(try DetectionTask().serializedBytes().isEmpty)
        #expect(try DetectionTask(serializedBytes: []) == DetectionTask())
    }
}
