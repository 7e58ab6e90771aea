// One direction of a sealed connection: libsodium's crypto_secretstream_xchacha20poly1305, whose states are values.

#if Encryption
internal import CSodium
internal import GinnelCore

struct SodiumSealer: RecordSealer {
    let opening: [UInt8]
    private var state = crypto_secretstream_xchacha20poly1305_state()

    init(key: [UInt8]) {
        var header = Sodium.zeros(Record.openingBytes)
        crypto_secretstream_xchacha20poly1305_init_push(&state, &header, key)
        opening = header
    }

    mutating func seal(_ plain: UnsafeRawBufferPointer, _ tag: RecordTag) -> [UInt8] {
        let bytes = plain.bindMemory(to: UInt8.self)
        return [UInt8](unsafeUninitializedCapacity: plain.count + Record.overhead) { buffer, count in
            crypto_secretstream_xchacha20poly1305_push(&state, buffer.baseAddress, nil, bytes.baseAddress, UInt64(bytes.count), nil, 0, tag.rawValue)
            count = plain.count + Record.overhead
        }
    }
}

struct SodiumOpener: RecordOpener {
    private var key: [UInt8]
    private var state = crypto_secretstream_xchacha20poly1305_state()

    init(key: [UInt8]) { self.key = key }

    mutating func begin(_ opening: [UInt8]) -> Bool {
        defer { sodium_memzero(&key, key.count) }
        return crypto_secretstream_xchacha20poly1305_init_pull(&state, opening, key) == 0
    }

    mutating func open(_ sealed: borrowing RawSpan) -> OpenedRecord? {
        guard sealed.byteCount >= Record.overhead else { return nil }
        var tag: UInt8 = 0
        var isOpened = false
        let bytes = sealed.withUnsafeBytes { input in
            [UInt8](unsafeUninitializedCapacity: max(1, input.count - Record.overhead)) { buffer, count in
                let start = input.bindMemory(to: UInt8.self).baseAddress
                isOpened = crypto_secretstream_xchacha20poly1305_pull(&state, buffer.baseAddress, nil, &tag, start, UInt64(input.count), nil, 0) == 0
                count = isOpened ? input.count - Record.overhead : 0
            }
        }
        guard isOpened else { return nil }
        // The library's tag PUSH, 1, means nothing here.
        return OpenedRecord(bytes: bytes, tag: RecordTag(rawValue: tag) ?? .message)
    }
}
#endif
