#!/usr/bin/env python3
"""The other side of a headered connection, written from docs/formats/headered.md and from no code of this project.

    headered.py client PATH     connects and asks; says in lines what came of it
    headered.py service PATH    listens, answers one client until it leaves, and says in lines what it was asked

It is plain and blocks. Whatever is not as the page says ends it with an exception.
"""

import json
import socket
import struct
import sys
import zlib

MAGIC = 0x4C415043
STREAMING, PRIORITY = 4, 8
COMPLETION_REQUEST, COMPLETION_RESPONSE, STREAM_CHUNK, ERROR, HEARTBEAT = 1, 2, 3, 4, 5
HANDSHAKE, HANDSHAKE_ACK, DISCONNECT = 0x10, 0x11, 0x12
ASK_REQUEST, ASK_RESPONSE, EDIT_REQUEST, EDIT_RESPONSE, CHAT_MESSAGE = 0x100, 0x101, 0x102, 0x103, 0x104
LSP_REQUEST, LSP_RESPONSE, CANCEL = 0x200, 0x201, 0x205


def say(*words):
    print(*words, flush=True)


class Peer:
    def __init__(self, connection):
        self.connection = connection
        self.unread = b""
        connection.settimeout(30)

    def send(self, kind, identifier, payload=b"", flags=0):
        if isinstance(payload, dict):
            payload = json.dumps(payload).encode()
        head = struct.pack("<IBBHIQ", MAGIC, 1, flags, kind, len(payload), identifier)
        crc = zlib.crc32(payload, zlib.crc32(head + bytes(4)))
        self.connection.sendall(head + struct.pack("<I", crc) + payload)

    def exactly(self, count):
        while len(self.unread) < count:
            more = self.connection.recv(65536)
            if not more:
                return None
            self.unread += more
        taken, self.unread = self.unread[:count], self.unread[count:]
        return taken

    def receive(self):
        """The next message as (type, id, flags, payload); None at the end."""
        head = self.exactly(24)
        if head is None:
            return None
        magic, version, flags, kind, length, identifier, crc = struct.unpack("<IBBHIQI", head)
        assert (magic, version) == (MAGIC, 1), head
        payload = self.exactly(length)
        assert zlib.crc32(head[:20] + bytes(4) + payload) == crc, head
        return kind, identifier, flags, payload

    def expect(self, kind, identifier):
        message = self.receive()
        assert message and message[:2] == (kind, identifier), message
        return message[3]


def client(path):
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(path)
    peer = Peer(connection)

    peer.send(HANDSHAKE, 1, {"ignored": True})
    peer.expect(HANDSHAKE_ACK, 1)
    peer.send(HEARTBEAT, 2, b"beat")
    say("heartbeat", peer.expect(HEARTBEAT, 2).decode())

    # Two at once, with ids of its own taste; the urgent one may come first.
    peer.send(ASK_REQUEST, 2**63, {"query": "six by nine?", "context": ["a"], "model": "m", "max_tokens": 9})
    peer.send(EDIT_REQUEST, 7, {"file_path": "a.py", "original_code": "x", "instructions": "y", "language": "python"}, PRIORITY)
    answers = {}
    while len(answers) < 2:
        kind, identifier, flags, payload = peer.receive()
        answers[kind, identifier, flags] = json.loads(payload)
    say("answer", answers[ASK_RESPONSE, 2**63, 0]["answer"])
    say("edited", answers[EDIT_RESPONSE, 7, PRIORITY]["modified_code"])

    # A stream, to its end.
    peer.send(COMPLETION_REQUEST, 8, {"prompt": "count 3", "model": "m", "max_tokens": 1, "temperature": 0.5, "stream": True})
    pieces, number = [], 0
    while True:
        kind, identifier, flags, payload = peer.receive()
        chunk = json.loads(payload)
        assert (kind, identifier, chunk["stream_id"], chunk["sequence"]) == (STREAM_CHUNK, 8, 8, number), chunk
        assert bool(flags & STREAMING) == (not chunk["is_final"]), flags
        number += 1
        if chunk["content"] != {"Text": ""}:
            pieces.append(chunk["content"])
        if chunk["is_final"]:
            break
    say("pieces", json.dumps(pieces))

    # A stream that is cancelled in the middle still ends with an Error.
    peer.send(COMPLETION_REQUEST, 9, {"prompt": "for ever", "model": "m", "max_tokens": 1, "temperature": 0.5, "stream": True})
    assert json.loads(peer.expect(STREAM_CHUNK, 9))["content"] == {"Text": "0"}
    peer.send(CANCEL, 10, {"request_id": "9"})
    while (message := peer.receive())[0] == STREAM_CHUNK:
        pass
    assert message[:2] == (ERROR, 9), message
    say("cancelled", json.loads(message[3])["code"])

    # What has no handler, and what is no request of its type.
    peer.send(LSP_REQUEST, 11, {"id": "1"})
    say("unknown", json.loads(peer.expect(ERROR, 11))["code"])
    peer.send(ASK_REQUEST, 12, {"query": 1})
    say("invalid", json.loads(peer.expect(ERROR, 12))["code"])

    peer.send(CHAT_MESSAGE, 13, {"role": "user", "content": "bye", "timestamp": 2**64 - 1})
    said = json.loads(peer.expect(CHAT_MESSAGE, 1))
    say("said", said["role"], said["content"])

    peer.send(DISCONNECT, 0)
    assert peer.receive() is None
    say("end")


def service(path):
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(1)
    say("listening")
    connection, _ = listener.accept()
    peer = Peer(connection)
    held = {}
    while message := peer.receive():
        kind, identifier, flags, payload = message
        if kind == HANDSHAKE:
            peer.send(HANDSHAKE_ACK, identifier)
        elif kind == HEARTBEAT:
            peer.send(HEARTBEAT, identifier, payload)
        elif kind == ASK_REQUEST:
            request = json.loads(payload)
            assert sorted(request) == ["context", "max_tokens", "model", "query"], request
            if request["query"] == "fail":
                peer.send(ERROR, identifier, {"code": -7, "message": "no idea", "details": "d"})
            elif request["query"] == "never":
                held[identifier] = request
                say("holds", identifier)
            elif request["query"] == "later":
                held[identifier] = request
                if len(held) == 2:  # answered in the other order
                    for each in sorted(held, reverse=True):
                        peer.send(ASK_RESPONSE, each, {"answer": "".join(held[each]["context"]), "confidence": 1, "sources": [], "more": None})
                    held.clear()
            else:
                peer.send(ASK_RESPONSE, identifier, {"answer": request["query"].upper(), "confidence": 0.25, "sources": ["s"]})
        elif kind == COMPLETION_REQUEST:
            request = json.loads(payload)
            assert sorted(request) == ["max_tokens", "model", "prompt", "stream", "temperature"], request
            if not request["stream"]:
                peer.send(COMPLETION_RESPONSE, identifier, {"text": request["prompt"], "model": "m", "tokens_used": 1, "finish_reason": "stop"})
                continue
            contents = [{"Text": "a"}, {"Token": {"id": 4294967295, "text": "b", "logprob": -0.5}}, {"FunctionCall": {"name": "f", "arguments": "{}"}}, {"Error": "e"}]
            for number, content in enumerate(contents):  # numbered from 1, the last with an item, and no flags at all
                peer.send(STREAM_CHUNK, identifier, {"is_final": number == 3, "content": content, "sequence": number + 1, "stream_id": 77})
        elif kind == CANCEL:
            request = int(json.loads(payload)["request_id"])
            assert request == identifier and held.pop(request), message
            say("cancelled", request)
        elif kind == CHAT_MESSAGE:
            said = json.loads(payload)
            said["content"] = said["content"][::-1]
            peer.send(CHAT_MESSAGE, 99, said, PRIORITY)
        elif kind == DISCONNECT:
            say("disconnect", identifier, len(payload))
        else:
            raise AssertionError(message)
    say("end")


if __name__ == "__main__":
    {"client": client, "service": service}[sys.argv[1]](sys.argv[2])
