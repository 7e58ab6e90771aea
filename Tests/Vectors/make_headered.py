#!/usr/bin/env python3
"""Writes headered.json: byte vectors of headered messages, made from docs/formats/headered.md alone and from no other code.

    make_headered.py            writes headered.json beside this file
    make_headered.py --check    fails when headered.json differs from what would be written

Messages that were given by the format's other implementation stand here as bytes, and what they mean beside them; the header that is
made from that meaning must give the same bytes.
"""

import json
import pathlib
import struct
import sys
import zlib

MAGIC = 0x4C415043

# name, bytes, type, id, payload. The payloads of the last two are memory images of another program, of no meaning here.
GIVEN = [
    ("data", "4350414c01000200050000000100000000000000061beeaa48656c6c6f", 2, 1, "48656c6c6f"),
    ("empty", "4350414c0100010000000000010000000000000032c0a7d6", 1, 1, ""),
    ("foreign heartbeat",
     "4350414c010005004800000039300000000000007f87d66f"
     "0400000000000000000000000000000000000000000000000000000000000000"
     "0000000000000000000000000000000039300000000000" "00d2029649000000000400000000000000",
     5, 12345,
     "0400000000000000000000000000000000000000000000000000000000000000"
     "0000000000000000000000000000000039300000000000" "00d2029649000000000400000000000000"),
    ("foreign completion request",
     "4350414c010001004800000007" "00000000000000710f842d"
     "0000000068690000000000026d00000000000001640000000000003f00000000"
     "0000000000000000000000000000000007000000000000000100000000000000" "0000000000000000",
     1, 7,
     "0000000068690000000000026d00000000000001640000000000003f00000000"
     "0000000000000000000000000000000007000000000000000100000000000000" "0000000000000000"),
]


def message(kind, identifier, payload, flags=0, magic=MAGIC, version=1, length=None, checksum=None):
    length = len(payload) if length is None else length
    head = struct.pack("<IBBHIQ", magic, version, flags, kind, length, identifier)
    right = zlib.crc32(head + bytes(4) + payload)
    return head + struct.pack("<I", right if checksum is None else checksum) + payload


def good():
    for name, given, kind, identifier, payload in GIVEN:
        made = message(kind, identifier, bytes.fromhex(payload))
        if made.hex() != given:
            sys.exit(f"{name}: {made.hex()} is not {given}")
        yield name, made, kind, identifier, 0, bytes.fromhex(payload)
    ask = json.dumps({"query": "why?", "context": [], "model": "m", "max_tokens": 9}, separators=(",", ":")).encode()
    cancel = json.dumps({"request_id": "7"}, separators=(",", ":")).encode()
    for name, kind, identifier, flags, payload in [
        ("request", 0x0100, 2**64 - 1, 0, ask), ("urgent request", 0x0100, 3, 8, ask), ("cancel", 0x0205, 7, 0, cancel),
        ("piece of a stream", 3, 7, 4, b'{"stream_id":7,"sequence":0,"content":{"Text":"a"},"is_final":false}'), ("handshake", 0x10, 1, 0, b""),
    ]:
        yield name, message(kind, identifier, payload, flags), kind, identifier, flags, payload


def bad():
    hello = b"Hello"
    yield "LAPC", message(5, 1, b"", magic=0x4350414C), "protocolViolation", "these read LAPC"
    yield "another protocol", b"GET / HTTP/1.1\r\n", "protocolViolation", "begins with 47 45 54 20"
    yield "version 2", message(5, 1, b"", version=2), "versionUnsupported", "version 2"
    yield "version 0", message(5, 1, b"", version=0), "versionUnsupported", "version 0"
    yield "unknown flag", message(5, 1, b"", flags=0x10), "protocolViolation", "unknown flags 10"
    yield "compressed", message(5, 1, hello, flags=1), "unsupportedCodec", "compressed message (flag 1)"
    yield "encrypted", message(5, 1, hello, flags=2), "unsupportedCodec", "encrypted message (flag 2)"
    yield "unknown type", message(0x0300, 1, hello), "protocolViolation", "unknown message type 0x0300"
    yield "type 0", message(0, 1, hello), "protocolViolation", "unknown message type 0x0000"
    yield "over the limit", message(0x0100, 1, b"", length=10 * 1024 * 1024 + 1), "frameTooLarge", "10485761 bytes, over the limit of 10485760 (maximumPayload)"
    yield "four billion", message(0x0100, 1, b"", length=2**32 - 1), "frameTooLarge", "4294967295 bytes"
    yield "checksum", message(0x0100, 1, hello, checksum=0), "checksumMismatch", "AskRequest (0x0100) with a payload of 5 bytes"
    flipped = bytearray(message(0x0100, 1, hello))
    flipped[-1] ^= 1
    yield "flipped bit", bytes(flipped), "checksumMismatch", "does not match its checksum"
    yield "unknown id", message(0x0101, 99, b"{}"), "protocolViolation", "AskResponse (0x0101) with the unknown id 99"


def main():
    text = json.dumps(
        {
            "format": "headered",
            "specification": "docs/formats/headered.md",
            "notes": "id is a decimal string, since it needs 64 bits",
            "messages": [
                {"name": name, "hex": made.hex(), "type": kind, "id": str(identifier), "flags": flags, "payload": payload.hex()}
                for name, made, kind, identifier, flags, payload in good()
            ],
            "refused": [{"name": name, "hex": made.hex(), "code": code, "sentence": sentence} for name, made, code, sentence in bad()],
        },
        indent=1, ensure_ascii=False) + "\n"
    path = pathlib.Path(__file__).with_name("headered.json")
    if "--check" in sys.argv[1:]:
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            sys.exit("headered.json is not what make_headered.py writes")
    else:
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
