#!/usr/bin/env python3
"""A client of ginnel/1 that compresses and encrypts, written from docs/protocol.md alone, with libzstd and libsodium through ctypes.

    sealed.py PATH shared KEY                  a pre-shared key, in hexadecimal
    sealed.py PATH pinned SECRET SERVICE       its own secret key and the service's public one

Calls `echo` with text that is compressed and with bytes that are not, changes its key on the way, and leaves. Prints what it finds.
"""

import ctypes
import os
import socket
import struct
import sys

sodium = ctypes.CDLL("libsodium.so.23")
zstd = ctypes.CDLL("libzstd.so.1")
zstd.ZSTD_compressBound.restype = zstd.ZSTD_compress.restype = zstd.ZSTD_decompress.restype = ctypes.c_size_t
assert sodium.sodium_init() >= 0
STATE = sodium.crypto_secretstream_xchacha20poly1305_statebytes()
PREAMBLE = b"GINNEL\x01\x00"
HELLO, WELCOME, REQUEST, RESPONSE, CREDIT, GOODBYE = 1, 2, 4, 5, 11, 15
COMPRESSED, TAG_MESSAGE, TAG_REKEY, TAG_FINAL = 8, 0, 2, 3


def check(outcome):
    assert outcome == 0, "libsodium says no"


def key_pair(secret=None):
    public = ctypes.create_string_buffer(32)
    if secret is None:
        private = ctypes.create_string_buffer(32)
        check(sodium.crypto_kx_keypair(public, private))
        return public.raw, private.raw
    check(sodium.crypto_scalarmult_base(public, secret))
    return public.raw, secret


def meet(own, theirs):
    """What the client sends with and receives with."""
    receive, send = ctypes.create_string_buffer(32), ctypes.create_string_buffer(32)
    check(sodium.crypto_kx_client_session_keys(receive, send, own[0], own[1], theirs))
    return send.raw, receive.raw


def generic_hash(message, key=b""):
    out = ctypes.create_string_buffer(32)
    check(sodium.crypto_generichash(out, ctypes.c_size_t(32), message, ctypes.c_ulonglong(len(message)), key or None, ctypes.c_size_t(len(key))))
    return out.raw


def field(tag, value):
    return struct.pack("<HH", tag, len(value)) + value


def fields(data):
    found = {}
    while data:
        tag, length = struct.unpack_from("<HH", data)
        found[tag], data = data[4:4 + length], data[4 + length:]
    return found


def frame(kind, payload, stream=0, flags=0, lane=0):
    return struct.pack("<IBBBBII", len(payload), kind, flags, lane, 0, stream, 0) + payload


class Connection:
    def __init__(self, path, keys):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        own, challenge = key_pair(), os.urandom(16)
        hello = field(1, bytes([0, 0])) + field(2, struct.pack("<Q", 8 | 16))
        for tag, value in [(4, 1 << 20), (5, 0), (6, 1 << 20), (7, 1 << 16), (8, 0)]:
            hello += field(tag, struct.pack("<I", value))
        hello += field(10, os.urandom(16)) + field(13, own[0]) + field(14, challenge)
        if keys[0] == "pinned":
            long_term = key_pair(bytes.fromhex(keys[1]))
            hello += field(15, long_term[0])
        self.socket.sendall(PREAMBLE + frame(HELLO, hello))
        assert self.exactly(8) == PREAMBLE
        kind, _, _, welcome = self.plain_frame()
        assert kind == WELCOME, welcome
        answer = fields(welcome)
        assert struct.unpack("<Q", answer[2])[0] == 8 | 16
        send, receive = meet(own, answer[13])
        if keys[0] == "pinned":
            assert answer[15] == bytes.fromhex(keys[2])
            for pair, theirs in [(own, answer[15]), (long_term, answer[13])]:
                more = meet(pair, theirs)
                send, receive = send + more[0], receive + more[1]
        else:
            send, receive = send + bytes.fromhex(keys[1]), receive + bytes.fromhex(keys[1])
        transcript = generic_hash(b"".join(struct.pack("<I", len(part)) + part for part in (hello, welcome)))
        self.sealing, self.opening = ctypes.create_string_buffer(STATE), ctypes.create_string_buffer(STATE)
        header = ctypes.create_string_buffer(24)
        check(sodium.crypto_secretstream_xchacha20poly1305_init_push(self.sealing, header, generic_hash(send, transcript)))
        self.socket.sendall(header.raw)
        self.seal(b"")
        check(sodium.crypto_secretstream_xchacha20poly1305_init_pull(self.opening, self.exactly(24), generic_hash(receive, transcript)))
        self.opened, self.ended = b"", False

    def exactly(self, count):
        data = b""
        while len(data) < count:
            part = self.socket.recv(count - len(data))
            assert part, "the service has ended the connection"
            data += part
        return data

    def plain_frame(self):
        length, kind, flags, _, _, stream, _ = struct.unpack("<IBBBBII", self.exactly(16))
        return kind, flags, stream, self.exactly(length)

    def seal(self, plain, tag=TAG_MESSAGE):
        out = ctypes.create_string_buffer(len(plain) + 17)
        check(sodium.crypto_secretstream_xchacha20poly1305_push(
            self.sealing, out, None, plain, ctypes.c_ulonglong(len(plain)), None, ctypes.c_ulonglong(0), ctypes.c_ubyte(tag)))
        self.socket.sendall(struct.pack("<I", len(out.raw)) + out.raw)

    def open(self):
        sealed = self.exactly(struct.unpack("<I", self.exactly(4))[0])
        out, tag = ctypes.create_string_buffer(max(1, len(sealed) - 17)), ctypes.c_ubyte()
        check(sodium.crypto_secretstream_xchacha20poly1305_pull(
            self.opening, out, None, ctypes.byref(tag), sealed, ctypes.c_ulonglong(len(sealed)), None, ctypes.c_ulonglong(0)))
        self.opened, self.ended = self.opened + out.raw[:len(sealed) - 17], tag.value == TAG_FINAL

    def next_frame(self):
        while len(self.opened) < 16:
            self.open()
        length, kind, flags, _, _, stream, _ = struct.unpack_from("<IBBBBII", self.opened)
        payload, self.opened = self.opened[16:16 + length], self.opened[16 + length:]
        return kind, flags, stream, payload

    def call(self, stream, payload, compress, tag=TAG_MESSAGE):
        head = struct.pack("<QHH", 2**64 - 1, 4, 0) + b"echo"
        body, flags = head + payload, 0
        if compress:
            packed = ctypes.create_string_buffer(zstd.ZSTD_compressBound(ctypes.c_size_t(len(payload))))
            count = zstd.ZSTD_compress(packed, ctypes.c_size_t(len(packed)), payload, ctypes.c_size_t(len(payload)), 3)
            body, flags = struct.pack("<I", len(head) + len(payload)) + head + packed.raw[:count], COMPRESSED
        self.seal(frame(REQUEST, body, stream=stream, flags=flags, lane=2), tag)
        while True:
            kind, flags, answered, reply = self.next_frame()
            if kind == CREDIT:
                continue
            assert (kind, answered) == (RESPONSE, stream), (kind, reply)
            if not flags & COMPRESSED:
                return reply, False
            length = struct.unpack_from("<I", reply)[0]
            out = ctypes.create_string_buffer(length)
            assert zstd.ZSTD_decompress(out, ctypes.c_size_t(length), reply[4:], ctypes.c_size_t(len(reply) - 4)) == length
            return out.raw, True


def main():
    connection = Connection(sys.argv[1], sys.argv[2:])
    text = b"a narrow passage between two houses, " * 3000
    noise = os.urandom(20_000)
    for stream, (payload, compress, tag) in enumerate([(text, True, TAG_MESSAGE), (noise, False, TAG_REKEY), (text, True, TAG_MESSAGE), (b"", False, TAG_MESSAGE)]):
        reply, was_compressed = connection.call(2 * stream + 1, payload, compress, tag)
        print("echo", len(reply), reply == payload, "compressed" if was_compressed else "as it is", flush=True)
    connection.seal(frame(GOODBYE, struct.pack("<IH", 114, 0)))
    connection.seal(b"", TAG_FINAL)
    connection.socket.close()
    print("end", flush=True)


main()
