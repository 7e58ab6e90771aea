// Ids of messages: any text on the way in, a GUID of our own making on the way out.
//
// Ours are random bits that a count goes on from, with the version of GUIDs whose bits mean what their maker likes (RFC 9562, version 8). So no generator is needed
// for each message, and a message that is sent again has the id that it had.

enum EnvelopeID {
    /// Bytes of an id of ours.
    static let length = 36

    /// The `number`-th id that follows `base`.
    static func text(_ base: Identity, _ number: UInt64) -> String {
        let high = base.high & ~0xF000 | 0x8000
        let low = (base.low &+ number) & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000
        var text = ""
        for (index, digit) in Identity(high: high, low: low).description.enumerated() {
            if index == 8 || index == 12 || index == 16 || index == 20 { text.append("-") }
            text.append(digit)
        }
        return text
    }

    /// The number that a GUID is; `nil` for other texts.
    static func number(_ text: String) -> Identity? {
        guard text.utf8.count == length else { return nil }
        var words: [UInt64] = [0, 0]
        var digits = 0
        for (index, byte) in text.utf8.enumerated() {
            if index == 8 || index == 13 || index == 18 || index == 23 {
                guard byte == UInt8(ascii: "-") else { return nil }
            } else {
                guard let digit = JSONText.hexadecimalDigit(byte) else { return nil }
                words[digits / 16] = words[digits / 16] << 4 | UInt64(digit)
                digits += 1
            }
        }
        return Identity(high: words[0], low: words[1])
    }
}
