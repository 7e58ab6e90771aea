#!/usr/bin/python3
"""A picker for the recorder, with Qt's local sockets as the real one has them, written from docs/formats/tagged-json.md.

    recorder_picker.py pick PATH      says what is selected, as pickers do
    recorder_picker.py approve PATH   checks, stores and checks a token
    recorder_picker.py burst PATH     asks a hundred times in one write and reads what comes together
    recorder_picker.py look PATH      has Qt decode a thumbnail, a preview and a frame of the recording at the path that follows

A connection for each call; three seconds to connect, five for each wait. What has arrived already is looked at before anything is waited for: a socket that holds two replies
says only once that it can be read.
"""

import base64
import json
import os
import struct
import sys

from PyQt5.QtCore import QByteArray, QCoreApplication
from PyQt5.QtGui import QImage
from PyQt5.QtNetwork import QLocalSocket

CONNECT, WAIT = 3000, 5000


class Call:
    def __init__(self, path):
        self.socket = QLocalSocket()
        self.socket.connectToServer(path)
        if not self.socket.waitForConnected(CONNECT):
            raise ConnectionError(self.socket.errorString())
        self.buffer = QByteArray()
        self.waits = 0

    def write(self, *requests):
        texts = [json.dumps(request).encode() for request in requests]
        self.socket.write(b"".join(struct.pack("<I", len(text)) + text for text in texts))
        self.socket.flush()

    def exactly(self, count):
        while self.buffer.size() < count:
            if self.socket.bytesAvailable() == 0:
                self.waits += 1
                if not self.socket.waitForReadyRead(WAIT):
                    raise TimeoutError(self.socket.errorString())
            self.buffer.append(self.socket.readAll())
        taken = bytes(self.buffer.left(count))
        self.buffer.remove(0, count)
        return taken

    def read(self):
        (length,) = struct.unpack("<I", self.exactly(4))
        return json.loads(self.exactly(length))


def ask(path, **request):
    call = Call(path)
    call.write(request)
    return call.read()


def pick(path):
    reply = ask(path, type="query_selection")
    if reply["type"] == "no_selection":
        print("nothing is selected")
        return
    assert reply["type"] == "selection", reply
    kind, source = reply["source_type"], reply["source_id"]
    place = "@{x},{y},{width},{height}".format(**reply["geometry"]) if kind == "region" else ""
    print("[SELECTION]/" + {"monitor": "screen", "window": "window", "region": "region"}[kind] + ":" + source + place)


def approve(path):
    token = os.urandom(32).hex()
    requests = [{"type": kind, "token": token} for kind in ("validate_token", "store_token", "validate_token")]
    print(*[ask(path, **request)["type"] for request in requests])


def burst(path):
    call = Call(path)
    requests = [{"type": "ping"}, {"type": "get_recording_state"}] * 50
    call.write(*requests)
    kinds = [call.read()["type"] for _ in requests]
    assert kinds == ["pong", "recording_state"] * 50, kinds
    # Fewer waits than replies: some came together, and none was waited for that was there.
    print("burst", "coalesced" if call.waits < len(requests) else f"{call.waits} waits for {len(requests)} replies")


def decoded(data, kind, width, height):
    image = QImage.fromData(data, kind)
    assert not image.isNull() and (image.width(), image.height()) == (width, height), (kind, width, height)
    return image


def look(path, recording):
    reply = ask(path, type="get_window_thumbnail", window_handle=101)
    data = base64.b64decode(reply["data"])
    image = decoded(data, "JPG", reply["width"], reply["height"])
    # The title bar of every window is of the same gray, and is where it was drawn.
    bar = image.pixelColor(image.width() // 2, 3)
    assert all(abs(value - 64) <= 12 for value in (bar.red(), bar.green(), bar.blue())), bar.name()
    reply = ask(path, type="get_region_preview", monitor_id="SYN-2", x=7, y=3, width=99, height=77)
    decoded(base64.b64decode(reply["data"]), "JPG", 99, 77)
    print("thumbnails")
    frame = decoded(open(recording, "rb").read(), "PNG", 64, 48)
    assert frame.colorCount() == 256
    # A picture that only its first frame is: programs that know nothing of moving ones show that.
    print("frame", frame.width(), frame.height(), QImage(recording).isNull())


if __name__ == "__main__":
    application = QCoreApplication(sys.argv)
    {"pick": pick, "approve": approve, "burst": burst, "look": look}[sys.argv[1]](*sys.argv[2:])
