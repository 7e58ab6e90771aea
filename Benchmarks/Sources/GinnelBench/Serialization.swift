// Messages of the process monitor to bytes and back, without a connection: a result with as many records as make it at least `--size` bytes long, the same here and in
// Peers/protobuf.cc.

import Ginnel
import ProcessMonitorMessages

struct Serialization {
    let options: Options

    func run() throws -> Result {
        let message = try message()
        let bytes = try message.serializedBytes()
        _ = try measure(message, bytes, seconds: options.warmUp)
        var result = try measure(message, bytes, seconds: options.seconds)
        result.messageBytes = bytes.count
        return result
    }

    private func measure(_ message: DetectionResult, _ bytes: [UInt8], seconds: Double) throws -> Result {
        let began = Processor.now
        let processorTime = Processor.time
        let end = began + UInt64(seconds * 1e9)
        var result = Result()
        var now = began
        while now < end {
            let before = Processor.now
            if options.work == "protobuf-encode" {
                guard try message.serializedBytes().count == bytes.count else { throw Wrong(description: "a message is not as long as the time before") }
            } else {
                guard try DetectionResult(serializedBytes: bytes).processes.count == message.processes.count else { throw Wrong(description: "a message was not read") }
            }
            now = Processor.now
            result.latencies.record(now - before)
        }
        result.nanoseconds = now - began
        result.processorTime = Processor.time - processorTime
        result.messages = result.latencies.count
        return result
    }

    private func message() throws -> DetectionResult {
        var message = DetectionResult()
        message.taskID = "task-1"
        message.success = true
        while try message.serializedBytes().count < options.size {
            let number = message.processes.count + 1
            var record = ProcessRecord()
            record.pid = UInt32(number)
            record.ppid = 1
            record.name = "process-\(number)"
            record.executablePath = "/usr/bin/process-\(number)"
            record.commandLine = ["process-\(number)", "--verbose"]
            record.startTime = 1_700_000_000 + Int64(number)
            record.cpuUsage = Double(number) * 0.5
            record.memoryUsage = UInt64(number) * 4096
            record.accessible = true
            record.fileExists = true
            record.collectionTime = 1_700_000_000_000
            message.processes.append(record)
        }
        return message
    }
}
