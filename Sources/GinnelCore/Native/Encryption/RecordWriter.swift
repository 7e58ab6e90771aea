// What one side sends once it is sealed: an opening, an empty record that proves possession of the key, records of whole frames, a final record.

struct RecordWriter: Sendable {
    private var sealer: any RecordSealer
    private let rekeyBytes: Int
    private let rekeyRecords: Int
    private var bytesWithKey = 0
    private var recordsWithKey = 0
    private var owesOpening = true
    private var owesFinal = false
    private var isFinished = false

    init(_ sealer: any RecordSealer, _ options: EncryptionOptions) {
        self.sealer = sealer
        rekeyBytes = options.rekeyBytes
        rekeyRecords = options.rekeyRecords
    }

    var hasOutput: Bool { owesOpening || owesFinal }

    /// The opening and the proof, once.
    mutating func open(into output: inout OutputBuffer) {
        guard owesOpening else { return }
        owesOpening = false
        output.append(sealer.opening)
        append(UnsafeRawBufferPointer(start: nil, count: 0), .message, &output)
    }

    /// One record with these frames.
    mutating func seal(_ frames: UnsafeRawBufferPointer, into output: inout OutputBuffer) {
        bytesWithKey += frames.count
        recordsWithKey += 1
        let changesKey = bytesWithKey >= rekeyBytes || recordsWithKey >= rekeyRecords
        if changesKey { (bytesWithKey, recordsWithKey) = (0, 0) }
        append(frames, changesKey ? .rekey : .message, &output)
    }

    /// There will be a final record, when everything else has left.
    mutating func finish() { owesFinal = !isFinished }

    mutating func close(into output: inout OutputBuffer) {
        guard owesFinal else { return }
        owesFinal = false
        isFinished = true
        append(UnsafeRawBufferPointer(start: nil, count: 0), .final, &output)
    }

    private mutating func append(_ plain: UnsafeRawBufferPointer, _ tag: RecordTag, _ output: inout OutputBuffer) {
        let sealed = sealer.seal(plain, tag)
        output.append(littleEndian: UInt32(truncatingIfNeeded: sealed.count))
        output.append(sealed)
    }
}
