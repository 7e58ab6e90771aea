#!/usr/bin/env python3
"""Writes native.json: byte vectors of the native protocol, made from docs/protocol.md alone and from no other code.

    make_native.py            writes native.json beside this file
    make_native.py --check    fails when native.json differs from what would be written

Each vector has a name, its bytes in hexadecimal, and what they mean. Long payloads follow a pattern instead of standing here:
byte i of the pattern is (7 * i + 3) modulo 256.
"""

import json
import pathlib
import struct
import sys

KINDS = {
    "HELLO": 1, "WELCOME": 2, "REJECT": 3, "REQUEST": 4, "RESPONSE": 5, "FAILURE": 6, "EVENT": 7, "ACKNOWLEDGE": 8, "ITEM": 9, "END": 10,
    "CREDIT": 11, "CANCEL": 12, "PING": 13, "PONG": 14, "GOODBYE": 15, "UPGRADE": 16, "MESSAGE": 18,
}
CODES = {"cancelled": 1, "deadlineExceeded": 2, "forbidden": 5, "resourceExhausted": 6, "peerRefused": 103, "shuttingDown": 111, "wrongService": 112, "allAnswered": 116}
LANES = {"control": 0, "high": 1, "normal": 2, "low": 3}
CODECS = {"raw": 0, "json": 1, "protobuf": 2}
VERBS = {"offer": 1, "accept": 2, "refuse": 3, "switch": 4}
NO_DEADLINE = 2**64 - 1
LARGEST_FRAME = 65_536


def crc32c(data):
    """CRC-32C, one bit at a time."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


assert crc32c(b"123456789") == 0xE3069283


def pattern(start, count):
    return bytes((7 * i + 3) % 256 for i in range(start, start + count))


def header(kind, length, stream=0, lane="control", codec="raw", more=False, continued=False, items_follow=False, compressed=False, handles=0, checksum=0):
    flags = more | continued << 1 | items_follow << 2 | compressed << 3 | CODECS[codec] << 4
    number = kind if isinstance(kind, int) else KINDS[kind]
    return struct.pack("<IBBBBII", length, number, flags, LANES[lane], handles, stream, checksum)


def frame(kind, payload=b"", sealed=False, **fields):
    bare = header(kind, len(payload), **fields) + payload
    return header(kind, len(payload), checksum=crc32c(bare), **fields) + payload if sealed else bare


def field(tag, value):
    return struct.pack("<HH", tag, len(value)) + value


def greeting(g):
    body = field(1, bytes(g["minorVersions"])) + field(2, struct.pack("<Q", g["features"]))
    body += field(3, bytes(CODECS[name] for name in g["codecs"]))
    for tag, name in [(4, "maximumMessage"), (5, "callsInFlight"), (6, "window"), (7, "itemWindow"), (8, "heartbeat")]:
        body += field(tag, struct.pack("<I", g[name]))
    if g["service"]:
        body += field(9, g["service"].encode())
    body += field(10, bytes.fromhex(g["identity"]))
    body += field(11, g["program"].encode())
    if g["features"] & 4:
        body += field(12, struct.pack("<I", g["deliveryWindow"]))
    for tag, name in [(13, "publicKey"), (14, "challenge"), (15, "longTermKey")]:
        if name in g:
            body += field(tag, bytes.fromhex(g[name]))
    return body


def failure(f):
    sentence = f["sentence"].encode()
    return struct.pack("<IH", f["code"], len(sentence)) + sentence + bytes.fromhex(f["details"])


def request_head(r):
    method = r["method"].encode()
    fields = b"".join(field(tag, r[name].encode()) for tag, name in [(1, "traceparent"), (2, "tracestate")] if name in r)
    return struct.pack("<QHH", int(r["timeLeft"]), len(method), len(fields)) + method + fields


def event(e):
    name = e["name"].encode()
    return struct.pack("<IH", e["missed"], len(name)) + name + bytes.fromhex(e["payload"])


def zstd_run(byte, count):
    """A frame of zstd (RFC 8878) that holds one byte so many times: a single segment, its content size in two bytes, one block of type RLE, the last."""
    assert 256 <= count < 65_792
    return bytes.fromhex("28b52ffd") + struct.pack("<BH", 0x60, count - 256) + (1 | 1 << 1 | count << 3).to_bytes(3, "little") + bytes([byte])


def delivery(m):
    name = m["name"].encode()
    head = struct.pack("<QQHBB", int(m["id"]), int(m["floor"]), len(name), m["redelivered"], 0)
    return head + name + bytes.fromhex(m["payload"])


def upgrade(verb, handles=0, value=0):
    return struct.pack("<BBBBIQ", VERBS[verb], 1, handles, 0, value, 0)


def vectors():
    yield vector("preamble", b"GINNEL" + bytes([1, 0]), {"major": 1, "minor": 0})

    hello = {
        "minorVersions": [0, 0], "features": 1, "codecs": ["raw", "json", "protobuf"], "maximumMessage": 1_048_576, "callsInFlight": 1024,
        "window": 4_194_304, "itemWindow": 262_144, "heartbeat": 30_000, "service": "recorder",
        "identity": "00112233445566778899aabbccddeeff", "program": "editor 2.1",
    }
    yield vector("hello", frame("HELLO", greeting(hello)), {"kind": "HELLO", "greeting": hello})
    welcome = dict(
        hello, maximumMessage=65_536, callsInFlight=3, window=200_000, itemWindow=1000, heartbeat=0, codecs=["raw", "json"],
        identity="ffeeddccbbaa99887766554433221100", program="recorderd")
    yield vector("welcome", frame("WELCOME", greeting(welcome)), {"kind": "WELCOME", "greeting": welcome})

    delivering = dict(hello, features=4, deliveryWindow=4_194_304)
    yield vector("hello-with-delivery", frame("HELLO", greeting(delivering)), {"kind": "HELLO", "greeting": delivering})
    delivering = dict(welcome, features=4, deliveryWindow=65_664)
    yield vector("welcome-with-delivery", frame("WELCOME", greeting(delivering)), {"kind": "WELCOME", "greeting": delivering})
    sealing = dict(hello, features=24, publicKey=pattern(0, 32).hex(), challenge=pattern(32, 16).hex(), longTermKey=pattern(48, 32).hex())
    yield vector("hello-with-keys", frame("HELLO", greeting(sealing)), {"kind": "HELLO", "greeting": sealing})

    for name, code, sentence in [("reject", "wrongService", "this is recorder, not player"), ("reject-unread", "peerRefused", "")]:
        body = {"code": CODES[code], "sentence": sentence, "details": ""}
        yield vector(name, frame("REJECT", failure(body)), {"kind": "REJECT", "failure": body})

    request = {"method": "start_recording", "timeLeft": str(NO_DEADLINE), "payload": "7b7d"}
    fields = {"stream": 1, "lane": "normal", "codec": "json"}
    yield call("request", "REQUEST", fields, {"request": request}, request_head(request) + b"{}")
    request = {"method": "thumbnails", "timeLeft": "1500000000", "payload": ""}
    fields = {"stream": 1, "lane": "high", "codec": "raw", "itemsFollow": True}
    yield call("request-with-items-and-deadline", "REQUEST", fields, {"request": request}, request_head(request))

    request = {"method": "start_recording", "timeLeft": str(NO_DEADLINE), "payload": "7b7d"}
    request["traceparent"] = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    fields = {"stream": 1, "lane": "normal", "codec": "json"}
    yield call("request-in-a-trace", "REQUEST", fields, {"request": request}, request_head(request) + b"{}")
    request = dict(request, tracestate="rojo=00f067aa0ba902b7,congo@west=t61rcWkgMzE")
    yield call("request-in-a-trace-with-state", "REQUEST", fields, {"request": request}, request_head(request) + b"{}")
    request = {"method": "store", "timeLeft": str(NO_DEADLINE), "payloadRun": {"byte": 0x61, "count": 5000}}
    head, packed = request_head(request), zstd_run(0x61, 5000)
    body = struct.pack("<I", len(head) + 5000) + head + packed
    fields = {"stream": 1, "lane": "normal", "codec": "raw", "compressed": True}
    yield call("compressed-request", "REQUEST", fields, {"request": request}, body)
    pieces = frame("REQUEST", struct.pack("<I", len(body)) + body[:30], stream=1, lane="normal", compressed=True, more=True)
    pieces += frame("REQUEST", body[30:], stream=1, lane="normal", continued=True)
    yield vector("compressed-request-in-chunks", pieces, {"kind": "REQUEST"} | fields | {"request": request})
    yield call("compressed-response", "RESPONSE", fields, {"payloadRun": {"byte": 0x61, "count": 5000}}, struct.pack("<I", 5000) + packed)

    fields = {"stream": 1, "lane": "normal", "codec": "protobuf"}
    yield call("response", "RESPONSE", fields, {"payload": "0a0161"}, b"\x0a\x01a")
    body = {"code": CODES["forbidden"], "sentence": "kein Zugriff für Gäste", "details": "010203"}
    fields = {"stream": 1, "lane": "normal", "codec": "raw"}
    yield call("failure", "FAILURE", fields, {"failure": body}, failure(body))
    body = {"code": 70_000, "sentence": "", "details": ""}
    yield call("failure-of-the-application", "FAILURE", fields, {"failure": body}, failure(body))

    body = {"name": "recording.stopped", "missed": 0, "payload": "2a"}
    yield call("event", "EVENT", {"stream": 0, "lane": "low", "codec": "json"}, {"event": body}, event(body))
    body = dict(body, missed=3)
    yield call("event-after-missed-ones", "EVENT", {"stream": 0, "lane": "low", "codec": "json"}, {"event": body}, event(body))

    body = {"id": "72057594037927937", "floor": "4294967297", "name": "stock.changed", "redelivered": False, "payload": "7b7d"}
    yield call("message", "MESSAGE", {"stream": 0, "lane": "normal", "codec": "json"}, {"message": body}, delivery(body))
    body = dict(body, id="7", floor="7", redelivered=True, payload="")
    yield call("message-again", "MESSAGE", {"stream": 0, "lane": "high", "codec": "raw"}, {"message": body}, delivery(body))
    body = dict(body, id="8", payload=(b"in three pieces").hex())
    whole = delivery(body)
    fields = {"stream": 0, "lane": "low"}
    pieces = frame("MESSAGE", struct.pack("<I", len(whole)) + whole[:5], codec="protobuf", more=True, **fields)
    pieces += frame("MESSAGE", whole[5:30], more=True, continued=True, **fields) + frame("MESSAGE", whole[30:], continued=True, **fields)
    yield vector("short-message-in-chunks", pieces, {"kind": "MESSAGE", "codec": "protobuf", "message": body} | fields)
    records = [{"id": "7", "code": 0}, {"id": "72057594037927937", "code": CODES["forbidden"]}]
    payload = b"".join(struct.pack("<QI", int(r["id"]), r["code"]) for r in records)
    yield call("acknowledge", "ACKNOWLEDGE", {"stream": 0, "lane": "control", "codec": "raw"}, {"acknowledgements": records}, payload)

    fields = {"stream": 1, "lane": "normal", "codec": "json"}
    yield call("item", "ITEM", fields, {"payload": "31"}, b"1")
    yield call("end", "END", {"stream": 1, "lane": "normal", "codec": "raw"}, {"payload": ""}, b"")
    control = {"lane": "control", "codec": "raw"}
    yield call("credit-for-requests", "CREDIT", {"stream": 0} | control, {"credit": 150_015}, struct.pack("<I", 150_015))
    yield call("credit-for-items", "CREDIT", {"stream": 1} | control, {"credit": 616}, struct.pack("<I", 616))
    yield call("cancel", "CANCEL", {"stream": 1} | control, {"code": CODES["cancelled"]}, struct.pack("<I", CODES["cancelled"]))
    yield call("ping", "PING", {"stream": 0} | control, {"payload": "0807060504030201"}, struct.pack("<Q", 0x0102030405060708))
    yield call("pong", "PONG", {"stream": 0} | control, {"payload": "0807060504030201"}, struct.pack("<Q", 0x0102030405060708))
    body = {"code": CODES["shuttingDown"], "sentence": "back in a minute", "details": ""}
    yield call("goodbye", "GOODBYE", {"stream": 0} | control, {"failure": body}, failure(body))
    body = {"code": CODES["allAnswered"], "sentence": "", "details": ""}
    yield call("goodbye-at-last", "GOODBYE", {"stream": 0} | control, {"failure": body}, failure(body))

    for verb, handles, value in [("offer", 3, 262_144), ("accept", 0, 0), ("refuse", 0, CODES["resourceExhausted"]), ("switch", 0, 0)]:
        meaning = {"upgrade": {"verb": verb, "handles": handles, "value": value}}
        yield call(f"upgrade-{verb}", "UPGRADE", {"stream": 0, "handles": handles} | control, meaning, upgrade(verb, handles, value))

    sealed = frame("PING", struct.pack("<Q", 0x0102030405060708), sealed=True)
    yield vector("sealed-ping", sealed, {
        "kind": "PING", "stream": 0, "lane": "control", "codec": "raw", "payload": "0807060504030201", "checksum": struct.unpack("<I", sealed[12:16])[0]})
    request = {"method": "m", "timeLeft": str(NO_DEADLINE), "payload": "ff00"}
    sealed = frame("REQUEST", request_head(request) + b"\xff\x00", sealed=True, stream=1, lane="normal")
    yield vector("sealed-request", sealed, {
        "kind": "REQUEST", "stream": 1, "lane": "normal", "codec": "raw", "request": request, "checksum": struct.unpack("<I", sealed[12:16])[0]})
    yield vector("extension", frame(200, b"skip me", stream=9), {"extension": 200, "stream": 9, "skipped": True})

    message = b"a reply in three pieces"
    pieces = frame("RESPONSE", struct.pack("<I", len(message)) + message[:8], stream=1, lane="normal", codec="json", more=True)
    pieces += frame("RESPONSE", message[8:15], stream=1, lane="normal", more=True, continued=True)
    pieces += frame("RESPONSE", message[15:], stream=1, lane="normal", continued=True)
    yield vector("short-response-in-chunks", pieces, {
        "kind": "RESPONSE", "stream": 1, "lane": "normal", "codec": "json", "payload": message.hex()})

    yield large_request()


def large_request():
    """A request of 150,015 bytes in three frames; the head of each as bytes, the rest as a part of the pattern."""
    request = {"method": "put", "timeLeft": str(NO_DEADLINE), "payloadPattern": 150_000}
    head = request_head(request)
    total = len(head) + 150_000
    frames, sent = [], 0
    while sent < 150_000:
        first = sent == 0
        prefix = struct.pack("<I", total) + head if first else b""
        count = min(LARGEST_FRAME - len(prefix), 150_000 - sent)
        last = sent + count == 150_000
        top = header("REQUEST", len(prefix) + count, stream=1, lane="normal", more=not last, continued=not first)
        frames.append({"hex": (top + prefix).hex(), "patternStart": sent, "patternCount": count})
        assert pattern(sent, 2)[0] == (7 * sent + 3) % 256
        sent += count
    meaning = {"kind": "REQUEST", "stream": 1, "lane": "normal", "codec": "raw", "request": request}
    return {"name": "large-request-in-chunks", "frames": frames, "meaning": meaning}


def call(name, kind, fields, meaning, payload):
    arguments = {"items_follow" if key == "itemsFollow" else key: value for key, value in fields.items()}
    return vector(name, frame(kind, payload, **arguments), {"kind": kind} | fields | meaning)


def vector(name, data, meaning):
    return {"name": name, "hex": data.hex(), "meaning": meaning}


def main():
    text = json.dumps(
        {
            "protocol": "ginnel/1",
            "specification": "docs/protocol.md",
            "pattern": "byte i is (7 * i + 3) modulo 256",
            "notes": "fields stand in the order of their tags; timeLeft, id and floor are decimal strings, since they need 64 bits; heartbeat is in milliseconds",
            "vectors": list(vectors()),
        },
        indent=1, ensure_ascii=False) + "\n"
    path = pathlib.Path(__file__).with_name("native.json")
    if "--check" in sys.argv[1:]:
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            sys.exit("native.json is not what make_native.py writes")
    else:
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
