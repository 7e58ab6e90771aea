#!/usr/bin/env python3
"""The other side of an envelope connection, written from docs/formats/envelope.md and from no code of this project.

    envelope.py client PATH        connects as an agent, goes through a conversation, and says in lines what came of it
    envelope.py service PATH       listens, answers one agent until it leaves, and says in lines what it was told
    envelope.py malformed PATH     sends each thing that is wrong on a connection of its own, and says how that ended
    envelope.py spoil PATH         listens, says each thing that is wrong to an agent of its own, and says how that ended
    envelope.py agent PATH USER    says AGENT_STARTED in the name of USER, and what the answer was

It is plain and blocks. Whatever is not as the page says ends it with an exception.
"""

import json
import re
import socket
import struct
import sys
import uuid

TIME = "2024-01-01T12:00:00.1234567Z"
GOLDEN = bytes.fromhex("46000000") + b'{"id":"test-id","type":"HEARTBEAT","timestamp":"2024-01-01T12:00:00Z"}'


def say(*words):
    print(*words, flush=True)


class Peer:
    def __init__(self, connection):
        self.connection = connection
        connection.settimeout(30)

    @classmethod
    def connecting(cls, path):
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(path)
        return cls(connection)

    def text(self, text):
        """Length and text, in two writes, as the original has it."""
        self.connection.sendall(struct.pack("<i", len(text)))
        self.connection.sendall(text)

    def send(self, kind, payload=None, identifier=None):
        """Everything beyond ASCII is escaped, as the original's serialiser does."""
        identifier = identifier or str(uuid.uuid4())
        message = {"id": identifier, "type": kind, "timestamp": TIME}
        if payload is not None:
            message["payload"] = payload
        self.text(json.dumps(message, separators=(",", ":")).encode())
        return identifier

    def exactly(self, count):
        data = b""
        while len(data) < count:
            more = self.connection.recv(count - len(data))
            if not more:
                assert not data, data
                return None
            data += more
        return data

    def receive(self):
        """The next message; None at the end."""
        head = self.exactly(4)
        if head is None:
            return None
        (length,) = struct.unpack("<i", head)
        assert 1 <= length <= 1 << 20, length
        message = json.loads(self.exactly(length))
        assert list(message) in (["id", "type", "timestamp"], ["id", "type", "timestamp", "payload"]), message
        assert uuid.UUID(message["id"]) and re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,7})?Z", message["timestamp"]), message
        return message

    def expect(self, kind):
        message = self.receive()
        assert message and message["type"] == kind, message
        return message.get("payload")

    def acknowledgment(self, identifier):
        """Its error, or None for success."""
        payload = self.expect("ACKNOWLEDGMENT")
        assert payload["originalMessageId"] == identifier, payload
        members = ["originalMessageId", "success"] + ([] if payload["success"] else ["error"]) + ["timestamp"]
        assert list(payload) == members, payload
        return payload.get("error")

    def acknowledge(self, message, error=None):
        payload = {"originalMessageId": message["id"], "success": error is None}
        if error:
            payload["error"] = error
        payload["timestamp"] = TIME
        self.send("ACKNOWLEDGMENT", payload)


def client(path):
    peer = Peer.connecting(path)
    peer.connection.sendall(GOLDEN)
    say("heartbeat", peer.acknowledgment("test-id"))

    peer.send("AGENT_STARTED", {"userId": "zoë", "version": "1.2", "sessionId": 7})
    answer = peer.expect("BACKUP_REQUEST")
    say("started", answer["userId"], answer["priority"], ",".join(answer["categories"]), answer["deadline"])

    identifier = peer.send("BACKUP_PROGRESS", {"userId": "u", "category": "files", "progress": 12.5, "currentFile": None, "bytesTransferred": 2**40, "unknown": [1]})
    say("progress", peer.acknowledgment(identifier))
    identifier = peer.send("BACKUP_PROGRESS", {"userId": "u", "category": "files", "progress": 12.5}, identifier.upper())
    say("again", peer.acknowledgment(identifier))

    peer.send("DELAY_REQUEST", {"userId": "u", "reason": "busy", "requestedDelay": 3600, "delaysUsed": 3})
    say("delay", peer.expect("ESCALATION_NOTICE")["reason"])

    say("unknown", peer.acknowledgment(peer.send("NO_SUCH_TYPE", {})))
    say("wrong", peer.acknowledgment(peer.send("BACKUP_PROGRESS", {"userId": 7})))
    say("absent", peer.acknowledgment(peer.send("BACKUP_PROGRESS")))
    say("broken", peer.acknowledgment(peer.send("ERROR_REPORT", {"userId": "u", "errorCode": "E", "message": "boom"})))
    big = "x" * 100_000
    say("large", peer.acknowledgment(peer.send("USER_ACTION", {"userId": "u", "action": big, "details": {"n": None, "l": [1, 2.5, "s", {"deep": True}]}})))

    # A push, which is not acknowledged; then one that is.
    say("pushed", peer.expect("STATUS_UPDATE")["overallStatus"])
    asked = peer.receive()
    assert asked["type"] == "CONFIGURATION_UPDATE", asked
    say("configured", asked["payload"]["key"], asked["payload"]["value"], asked["payload"]["scope"])
    peer.acknowledge(asked, "Error handling message: read only")
    assert peer.receive() is None
    say("end")


def service(path):
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(1)
    say("listening")
    for life in range(2):
        connection, _ = listener.accept()
        peer = Peer(connection)
        kept = 0
        while message := peer.receive():
            kind, payload = message["type"], message.get("payload")
            if kind == "HEARTBEAT":
                assert list(payload) == ["senderId", "timestamp", "sequenceNumber"], payload
                # The original has no handler for it.
                peer.acknowledge(message, "No handler registered for message type: HEARTBEAT")
            elif kind == "AGENT_STARTED":
                say("agent", payload["userId"], payload["agentVersion"], payload["sessionId"])
                peer.send("STATUS_UPDATE", {"overallStatus": "ready", "blockingUsers": [], "readyUsers": ["é"], "totalUsers": 1})
            elif kind == "BACKUP_STARTED":
                # Two at once are answered in the other order.
                second = peer.receive()
                assert second["type"] == "BACKUP_STARTED", second
                peer.acknowledge(second)
                peer.acknowledge(message, "Error handling message: no room")
            elif kind == "USER_ACTION":
                peer.send("SHUTDOWN_REQUEST", {"reason": "update"}, "not a guid")
                answered = peer.receive()
                assert answered["type"] == "ACKNOWLEDGMENT" and answered["payload"]["originalMessageId"] == "not a guid", answered
                say("shutdown", answered["payload"]["success"])
                # The original answers that too.
                peer.acknowledge(answered, "No handler registered for message type: ACKNOWLEDGMENT")
                peer.acknowledge(message)
            elif kind == "BACKUP_PROGRESS":
                kept += 1
                say("kept", life, payload["progress"], message["id"])
                if life == 0 and kept == 3:
                    break  # Gone, with two acknowledged of three
                peer.acknowledge(message)
        connection.close()
    say("end")


MALFORMED = {
    "a length of zero": struct.pack("<i", 0),
    "a negative length": struct.pack("<i", -1),
    "a length over the limit": struct.pack("<i", (1 << 20) + 1),
    "no JSON": b"hello",
    "null": b"null",
    "an array": b"[]",
    "two objects": b'{"type":"X"}{}',
    "a key twice": b'{"type":"X","type":"X"}',
    "a key twice in the payload": b'{"type":"X","payload":{"a":1,"a":1}}',
    "deep nesting": b'{"type":"X","payload":' + b"[" * 64 + b"]" * 64 + b"}",
    "an integer out of range": b'{"type":"X","payload":18446744073709551616}',
    "a number out of range": b'{"type":"X","payload":1e309}',
    "not a number": b'{"type":"X","payload":NaN}',
    "invalid UTF-8": b'{"type":"X","payload":"\xff"}',
    "half a surrogate pair": b'{"type":"X","payload":"\\ud800"}',
    "a byte order mark": b'\xef\xbb\xbf{"type":"X"}',
    "no type": b'{"id":"1"}',
    "another case": b'{"Type":"X"}',
    "a type that is a number": b'{"type":1}',
    "an id that is a number": b'{"id":1,"type":"X"}',
    "an acknowledgement of nothing": b'{"type":"ACKNOWLEDGMENT","payload":{}}',
    "Newtonsoft lines of an older server": b'{"Type":"HEARTBEAT","Payload":"","Timestamp":"2024-01-01T12:00:00Z","CorrelationId":null}',
}


def malformed(path):
    for name, data in MALFORMED.items():
        peer = Peer.connecting(path)
        peer.text(data) if "length" not in name else peer.connection.sendall(data)
        try:
            assert peer.receive() is None, name
        except ConnectionResetError:
            pass
        say("closed", name)
    # What is late or means nothing to anybody closes nothing.
    peer = Peer.connecting(path)
    peer.send("ACKNOWLEDGMENT", {"originalMessageId": "nobody", "success": True})
    peer.connection.sendall(GOLDEN)
    assert peer.acknowledgment("test-id") is None
    # The end in the middle of a message.
    peer.connection.sendall(GOLDEN[:20])
    peer.connection.shutdown(socket.SHUT_WR)
    assert peer.receive() is None
    say("end")


def spoil(path):
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(1)
    say("listening")
    for name, data in MALFORMED.items():
        connection, _ = listener.accept()
        peer = Peer(connection)
        assert peer.receive()["type"] == "USER_ACTION", name
        peer.text(data) if "length" not in name else connection.sendall(data)
        try:
            assert peer.receive() is None, name
        except ConnectionResetError:
            pass
        connection.close()
        say("closed", name)
    say("end")


def agent(path, user):
    peer = Peer.connecting(path)
    identifier = peer.send("AGENT_STARTED", {"userId": user, "agentVersion": "1", "sessionId": "1"})
    answer = peer.receive()
    if answer["type"] == "ACKNOWLEDGMENT":
        assert answer["payload"]["originalMessageId"] == identifier, answer
        say("refused", answer["payload"]["error"])
    else:
        say("answered", answer["type"], answer["payload"]["userId"])
    say("end")


if __name__ == "__main__":
    {"client": client, "service": service, "malformed": malformed, "spoil": spoil, "agent": agent}[sys.argv[1]](*sys.argv[2:])
