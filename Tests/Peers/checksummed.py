#!/usr/bin/env python3
"""The other side of a checksummed connection, with Google's protobuf and the schema of the process monitor, written from docs/formats/checksummed.md and from no code
of this project. Needs what Tests/Peers/requirements.txt names.

    checksummed.py client PATH              connects, asks, misbehaves, and says in lines what came of it
    checksummed.py service PATH CRC         listens and answers, one client after the other, as the task's metadata says; CRC is ieee or castagnoli
    checksummed.py messages SEED COUNT      writes random messages of every type: a line for each: the type, the bytes in
                                            hexadecimal, and "maps" where their order is a matter of taste
    checksummed.py rewrite                  reads lines of a type and a message, and writes each again as protobuf reads and writes it
    checksummed.py same                     reads lines of a type and two messages; ends with an exception where the two are not the same

It is plain and blocks. Whatever is not as the page says ends it with an exception. process_monitor.py has the two programs of the system.
"""

import importlib
import random
import socket
import struct
import sys
import tempfile
import zlib
from pathlib import Path

from google.protobuf.descriptor import FieldDescriptor
from grpc_tools import protoc

SCHEMA = Path(__file__).resolve().parents[2] / "Examples/ProcessMonitor/process_monitor.proto"


def compiled():
    """The schema's messages, as the compiler makes them."""
    with tempfile.TemporaryDirectory() as folder:
        if protoc.main(["protoc", f"-I{SCHEMA.parent}", f"--python_out={folder}", str(SCHEMA)]) != 0:
            raise RuntimeError("the schema does not compile")
        sys.path.insert(0, folder)
        return importlib.import_module("process_monitor_pb2")


schema = compiled()


def say(*words):
    print(*words, flush=True)


# Frames


def castagnoli(data):
    value = 0xFFFFFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
    return value ^ 0xFFFFFFFF


CHECKSUMS = {"ieee": zlib.crc32, "castagnoli": castagnoli}


def frame(body, crc=zlib.crc32):
    return struct.pack("<II", len(body), crc(body)) + body


class Peer:
    def __init__(self, connection, crc=zlib.crc32):
        self.connection = connection
        self.crc = crc
        connection.settimeout(30)

    def exactly(self, count):
        data = b""
        while len(data) < count:
            more = self.connection.recv(count - len(data))
            if not more:
                return None if not data else data
            data += more
        return data

    def receive(self):
        """The next body; None at the end."""
        head = self.exactly(8)
        if head is None:
            return None
        length, crc = struct.unpack("<II", head)
        assert 0 < length <= 1 << 20, head
        body = self.exactly(length)
        assert len(body) == length and self.crc(body) == crc, head
        return body

    def send(self, message):
        self.connection.sendall(frame(message.SerializeToString(), self.crc))


def connected(path, crc=zlib.crc32):
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(path)
    return Peer(connection, crc)


# A client


def ask(peer, **fields):
    peer.send(schema.DetectionTask(**fields))
    body = peer.receive()
    assert body is not None, "the service has ended the connection"
    return schema.DetectionResult.FromString(body)


def client(path):
    peer = connected(path)
    result = ask(peer, task_id="one", process_filter=schema.ProcessFilter(pids=[1, 300], executable_pattern="*"))
    say("one", result.task_id, result.success, [(process.pid, process.ppid, process.HasField("ppid"), process.name) for process in result.processes])
    result = ask(peer, task_id="two", metadata="fail")
    say("two", result.task_id, result.success, result.error_message)
    result = ask(peer, task_id="three", task_type=42)
    say("three", result.success, result.error_message)
    result = ask(peer, task_id="four", metadata="x" * 1_000_000)
    say("four", result.success)
    for body in (b"\x08\x01\xff", b"\x0a\x02\xff\xfe"):
        stranger = connected(path)
        stranger.connection.sendall(frame(body))
        say("no task:", stranger.receive())
    good = frame(b"\x0a\x01a")
    for name, data in (
        ("zero", struct.pack("<II", 0, 0)),
        ("greatest", struct.pack("<II", 0xFFFFFFFF, 0)),
        ("too large", struct.pack("<II", (1 << 20) + 1, 0)),
        ("wrong checksum", good[:4] + b"\1" + good[5:]),
        ("other polynomial", frame(b"\x0a\x01a", castagnoli)),
        ("changed", good[:-1] + b"b"),
    ):
        stranger = connected(path)
        stranger.connection.sendall(data)
        say(name + ":", stranger.receive())
    stranger = connected(path)
    stranger.connection.sendall(struct.pack("<II", 10, 0) + b"abc")
    stranger.connection.shutdown(socket.SHUT_WR)
    say("cut:", stranger.receive())
    say("one that says nothing:", bool(connected(path)))
    peer.connection.sendall(frame(schema.DetectionTask(task_id="a").SerializeToString()) + frame(schema.DetectionTask(task_id="b").SerializeToString()))
    say("two at once", *[schema.DetectionResult.FromString(peer.receive()).task_id for _ in range(2)])
    whole = frame(schema.DetectionTask(task_id="in pieces").SerializeToString())
    for position in range(len(whole)):
        peer.connection.sendall(whole[position : position + 1])
    say(schema.DetectionResult.FromString(peer.receive()).task_id)
    say("end")


# A service


def answer(peer, task):
    """What the metadata of the task asks for; False when the connection is to end."""
    good = schema.DetectionResult(task_id=task.task_id, success=True)
    body = good.SerializeToString()
    if task.metadata == "rich":
        process = good.processes.add(pid=1, ppid=0, name="init", cpu_usage=0.5, accessible=True, file_exists=True, collection_time=1_700_000_000_000)
        process.command_line.extend(["init", "--quiet", ""])
        good.performance_events.add(metric_id="m", value=-1.5)
        peer.send(good)
    elif task.metadata == "failure":
        peer.send(schema.DetectionResult(task_id=task.task_id, error_message="boom"))
    elif task.metadata == "zero":
        peer.connection.sendall(struct.pack("<II", 0, 0))
    elif task.metadata == "huge":
        peer.connection.sendall(struct.pack("<II", (1 << 20) + 1, 0))
    elif task.metadata == "wrong checksum":
        peer.connection.sendall(struct.pack("<II", len(body), 1) + body)
    elif task.metadata == "no message":
        peer.connection.sendall(frame(b"\x0a\x05a", peer.crc))
    elif task.metadata == "cut":
        peer.connection.sendall(frame(body, peer.crc)[:-1])
        return False
    elif task.metadata == "twice":
        peer.connection.sendall(frame(body, peer.crc) * 2)
    elif task.metadata == "leave":
        return False
    else:
        peer.send(good)
    return True


def service(path, crc):
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen()
    say("listening")
    while True:
        connection, _ = listener.accept()
        with connection:
            peer = Peer(connection, crc)
            while (body := peer.receive()) is not None:
                task = schema.DetectionTask.FromString(body)
                say("task", task.task_id, task.task_type, task.metadata, list(task.process_filter.process_names), list(task.process_filter.pids))
                if task.metadata == "end":
                    say("end")
                    return
                if not answer(peer, task):
                    break


# Random messages

TYPES = [name for name in schema.DESCRIPTOR.message_types_by_name]


def scalar(field, chance):
    kind = field.cpp_type
    if kind == FieldDescriptor.CPPTYPE_STRING:
        return "".join(chance.choice(["a", "ß", "€", "𝄞", "\0", "/", "Z"]) for _ in range(chance.choice([0, 1, 3, 200])))
    if kind == FieldDescriptor.CPPTYPE_BOOL:
        return chance.random() < 0.5
    if kind == FieldDescriptor.CPPTYPE_DOUBLE:
        return chance.choice([0.0, -0.0, 1.5, -1e300, 5e-324, float("inf"), float("-inf"), chance.uniform(-1e9, 1e9)])
    if kind == FieldDescriptor.CPPTYPE_ENUM:
        return chance.choice([0, 1, 2, 3, 42, -1, 2**31 - 1, -(2**31)])
    bits = 32 if kind in (FieldDescriptor.CPPTYPE_INT32, FieldDescriptor.CPPTYPE_UINT32) else 64
    value = chance.choice([0, 1, 127, 128, 300, 2**bits - 1, chance.getrandbits(bits), chance.getrandbits(14)])
    return value if kind in (FieldDescriptor.CPPTYPE_UINT32, FieldDescriptor.CPPTYPE_UINT64) or value < 2 ** (bits - 1) else value - 2**bits


def fill(message, chance):
    """Fills it at random; whether its bytes have but one order, which the entries of a map have not."""
    has_order = True
    for field in message.DESCRIPTOR.fields:
        if chance.random() < 0.4:
            continue
        place = getattr(message, field.name)
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            for _ in range(chance.randrange(4)):
                place[scalar(field.message_type.fields_by_name["key"], chance)] = scalar(field.message_type.fields_by_name["value"], chance)
            has_order = has_order and len(place) < 2
        elif field.is_repeated:
            for _ in range(chance.randrange(4)):
                if field.message_type is not None:
                    has_order = fill(place.add(), chance) and has_order
                else:
                    place.append(scalar(field, chance))
        elif field.message_type is not None:
            place.SetInParent()
            has_order = fill(place, chance) and has_order
        else:
            setattr(message, field.name, scalar(field, chance))
    return has_order


def unknown(chance):
    """A few fields of numbers that no message has."""
    kinds = [b"\xf8\x7f\x96\x01", b"\xf9\x7f" + bytes(8), b"\xfa\x7f\x03abc", b"\xfb\x7f\x08\x01\xfc\x7f", b"\xfd\x7f" + bytes(4), b"\xfa\x7f\x00"]
    return b"".join(chance.choice(kinds) for _ in range(chance.randrange(1, 4)))


def messages(seed, count):
    chance = random.Random(seed)
    for number in range(count):
        name = TYPES[number % len(TYPES)]
        message = getattr(schema, name)()
        has_order = fill(message, chance)
        data = message.SerializeToString(deterministic=True)
        if number % 3 == 0:
            data += unknown(chance)
        say(name, data.hex(), "" if has_order else "maps")


def rewrite():
    for line in sys.stdin:
        name, text = line.rstrip("\n").split(" ")
        message = getattr(schema, name).FromString(bytes.fromhex(text))
        say(name, message.SerializeToString(deterministic=True).hex())


def same():
    count = 0
    for line in sys.stdin:
        name, first, second = line.rstrip("\n").split(" ")
        one, other = (getattr(schema, name).FromString(bytes.fromhex(text)) for text in (first, second))
        assert one.SerializeToString(deterministic=True) == other.SerializeToString(deterministic=True), line
        count += 1
    say("same", count)


if __name__ == "__main__":
    if sys.argv[1] == "client":
        client(sys.argv[2])
    elif sys.argv[1] == "service":
        service(sys.argv[2], CHECKSUMS[sys.argv[3]])
    elif sys.argv[1] == "messages":
        messages(int(sys.argv[2]), int(sys.argv[3]))
    elif sys.argv[1] == "rewrite":
        rewrite()
    else:
        same()
