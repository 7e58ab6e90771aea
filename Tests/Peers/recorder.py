#!/usr/bin/env python3
"""A client of the recorder, written from docs/formats/tagged-json.md and from no code of this project. recorder_service.py is the other half.

    recorder.py client PATH [flat|nested]  asks everything there is to ask, and everything that is malformed; says in lines what came of it
    recorder.py refused PATH               connects and expects to be turned away unread
    recorder.py self                       says which program this is, for whoever has to trust it

It is plain and blocks. Whatever is not as the page says ends it with an exception. Only the standard library is used.
"""

import base64
import json
import os
import socket
import struct
import sys
import zlib

LIMIT = 65536
# Nearly a whole monitor: no two pictures of it are the same.
SOURCE = {"monitor_id": "SYN-1", "x": 2, "y": 1, "width": 318, "height": 198}
TOKEN = "5a" * 32


def say(*words):
    print(*words, flush=True)


def framed(text):
    text = text if isinstance(text, bytes) else text.encode()
    return struct.pack("<I", len(text)) + text


class Peer:
    def __init__(self, connection):
        self.connection = connection
        self.unread = b""
        connection.settimeout(30)

    @classmethod
    def at(cls, path):
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(path)
        return cls(connection)

    def write(self, data):
        self.connection.sendall(data)

    def send(self, **message):
        self.write(framed(json.dumps(message)))

    def receive(self):
        """The next message; None at the end, which is only between two messages."""
        while True:
            if len(self.unread) >= 4:
                (length,) = struct.unpack_from("<I", self.unread)
                assert length <= LIMIT, length
                if len(self.unread) >= 4 + length:
                    text, self.unread = self.unread[4 : 4 + length], self.unread[4 + length :]
                    return json.loads(text)
            more = self.connection.recv(65536)
            if not more:
                assert not self.unread, self.unread
                return None
            self.unread += more

    def ask(self, **request):
        self.send(**request)
        return self.receive()

    def expect(self, kind, **request):
        reply = self.ask(**request)
        assert reply and reply["type"] == kind, (request, reply)
        return reply

    def refused(self, sentence, **request):
        reply = self.ask(**request)
        assert reply == {"type": "error", "message": sentence}, (request, reply)


def exact_bytes(path):
    peer = Peer.at(path)
    ping = bytes.fromhex("0f0000007b2274797065223a2270696e67227d")
    pong = bytes.fromhex("0f0000007b2274797065223a22706f6e67227d")
    query = bytes.fromhex("1a0000007b2274797065223a2271756572795f73656c656374696f6e227d")
    none = framed('{"type":"no_selection"}')
    # Whole, byte by byte, and three at once.
    peer.write(ping)
    assert peer.connection.recv(100) == pong
    for byte in query:
        peer.write(bytes([byte]))
    peer.write(ping + query + ping)
    read = b""
    while len(read) < 2 * len(none + pong):
        read += peer.connection.recv(1000)
    assert read == none + pong + none + pong, read
    # As long as a message may be.
    peer.write(framed('{"type":"ping","pad":"' + "a" * (LIMIT - 24) + '"}'))
    assert peer.connection.recv(100) == pong
    # A side that has said everything is still answered.
    peer.write(ping)
    peer.connection.shutdown(socket.SHUT_WR)
    assert peer.receive() == {"type": "pong"} and peer.receive() is None
    say("bytes")


def malformed(path):
    """Each ends the connection without a word, and harms nobody else."""
    deep = lambda levels: '{"type":"ping","x":' + "[" * (levels - 1) + "]" * (levels - 1) + "}"
    texts = [
        b"", b"ping", b"[1]", b'"ping"', b"null", b'{"type":"ping"', b'{"type":"ping"} {}', b'{"type":"ping",}', b"{'type':'ping'}", b'{"type":"ping","type":"ping"}',
        b'{"type":"ping","a":1,"\\u0061":2}', b'{"type":"ping","x":{"a":1,"a":2}}', deep(65).encode(), b'{"type":"ping","x":"\xff"}', b'{"type":"ping","x":"\xc0\x80"}',
        b'{"type":"ping","x":"\\ud800"}', b'\xef\xbb\xbf{"type":"ping"}', b'{"type":"ping","x":1e999}', b'{"type":"ping","x":18446744073709551616}',
        b'{"type":"ping","x":-9223372036854775809}', b'{"type":"ping","x":01}', b'{"type":"ping","x":NaN}', b'{"type":"ping","x":"\n"}', b"{}", b'{"type":7}', b'{"type":null}',
        b'{"Type":"ping"}', b'{"x":{"type":"ping"}}',
    ]
    frames = [framed(text) for text in texts] + [struct.pack("<I", LIMIT + 1), b"\xff\xff\xff\xff", b"\x00\x00\x00\x80" + b"{}"]
    bystander = Peer.at(path)
    for frame in frames:
        peer = Peer.at(path)
        peer.write(frame)
        assert peer.receive() is None, frame
        bystander.expect("pong", type="ping")
    for cut in (2, 4, 9):
        peer = Peer.at(path)
        peer.write(framed('{"type":"ping"}')[:cut])
        peer.connection.shutdown(socket.SHUT_WR)
        assert peer.receive() is None, cut
    # What is just inside is answered.
    bystander.write(framed(deep(64)) + framed('{"type":"ping","x":[18446744073709551615,-9223372036854775808,1e308]}') + framed(' {"type" : "p\\u0069ng"}\n'))
    assert [bystander.receive()["type"] for _ in range(3)] == ["pong"] * 3
    say("malformed", len(frames))


def invalid(path):
    """Each is answered, and the connection goes on."""
    peer = Peer.at(path)
    region = {"type": "start_region_capture", **SOURCE}
    peer.refused("Invalid request: Invalid monitor ID: a b", type="get_display_thumbnail", monitor_id="a b")
    peer.refused("Invalid request: Invalid source ID: a/b", type="set_audio_config", enabled=True, source_id="a/b", microphone_id=None, echo_cancellation=True)
    peer.refused("Invalid request: Invalid window handle: -1", type="start_window_capture", window_handle=-1)
    peer.refused("Invalid request: width out of range: 0 (max 16384)", **{**region, "width": 0})
    peer.refused("Invalid request: height out of range: 16385 (max 16384)", **{**region, "height": 16385})
    peer.refused("Invalid request: x out of range: 65536", **{**region, "x": 65536})
    peer.refused("Invalid request: y out of range: -65536", type="show_display_highlight", x=0, y=-65536, width=1, height=1)
    # No requests of their types.
    peer.refused("Invalid request: window_handle is missing", type="start_window_capture")
    peer.refused("Invalid request: window_handle is of a wrong type", type="start_window_capture", window_handle="1")
    peer.refused("Invalid request: a number does not fit", **{**region, "width": -1})
    peer.refused("Invalid request: a number does not fit", **{**region, "x": 2**31})
    peer.refused("Invalid request: a number does not fit", **{**region, "x": 0.5})
    peer.refused("Invalid request: token is null", type="validate_token", token=None)
    assert "no_such_request" in peer.expect("error", type="no_such_request")["message"]
    # Well said, and not to be done.
    peer.refused("Window not found", type="show_window_highlight", window_handle=7)
    peer.refused("Unknown output format: vhs", type="set_output_format", format="vhs")
    peer.refused("Output format mp4 cannot be encoded here; animatedpng can", type="set_output_format", format="MP4")
    peer.refused("The service is not recording", type="stop_recording")
    peer.refused("Nothing has been selected to record", type="start_portal_capture")
    peer.expect("pong", type="ping")
    say("invalid")


def sources(peer):
    windows = peer.expect("windows", type="list_windows")["windows"]
    assert all(set(each) == {"handle", "title", "process_name", "x", "y", "width", "height"} for each in windows), windows
    monitors = peer.expect("monitors", type="list_monitors")["monitors"]
    assert all(set(each) == {"id", "name", "x", "y", "width", "height", "is_primary", "scale_factor"} for each in monitors), monitors
    assert [each["is_primary"] for each in monitors].count(True) == 1
    audio = peer.expect("audio_sources", type="list_audio_sources")["sources"]
    assert all(each["source_type"] in ("input", "output") for each in audio), audio
    say("sources", len(windows), len(monitors), len(audio))
    return windows[0]["handle"]


def jpeg_size(data):
    assert data[:2] == b"\xff\xd8" and data[-2:] == b"\xff\xd9"
    offset = 2
    while data[offset + 1] != 0xC0:
        offset += 2 + struct.unpack_from(">H", data, offset + 2)[0]
    height, width = struct.unpack_from(">HH", data, offset + 5)
    return width, height


def pictures(peer, window):
    requests = [
        {"type": "get_window_thumbnail", "window_handle": window},
        {"type": "get_display_thumbnail", "monitor_id": "SYN-1"},
        {"type": "get_region_preview", **SOURCE},
    ]
    for request in requests:
        picture = peer.expect("thumbnail", **request)
        assert jpeg_size(base64.b64decode(picture["data"], validate=True)) == (picture["width"], picture["height"])
        most = (400, 300) if "x" in request else (320, 180)
        assert picture["width"] <= most[0] and picture["height"] <= most[1], picture
    peer.expect("ok", type="show_display_highlight", x=0, y=0, width=64, height=64)
    peer.expect("ok", type="show_window_highlight", window_handle=window)
    peer.expect("ok", type="clear_highlight")
    say("pictures")


def settings(peer):
    assert peer.expect("output_format", type="get_output_format")["format"] == "animatedpng"
    peer.expect("ok", type="set_output_format", format="ApNg")
    audio = {"enabled": False, "echo_cancellation": False, "agc_enabled": True, "agc_noise_gate_enabled": False}
    peer.expect("ok", type="set_audio_config", source_id=None, microphone_id=None, **audio)
    assert peer.ask(type="get_audio_config") == {"type": "audio_config", **audio}
    peer.expect("ok", type="set_audio_config", enabled=True, source_id="{a}|#:.", microphone_id=None, echo_cancellation=True)
    assert peer.ask(type="get_audio_config") == {
        "type": "audio_config", "enabled": True, "source_id": "{a}|#:.", "echo_cancellation": True, "agc_enabled": False, "agc_noise_gate_enabled": True,
    }
    assert peer.ask(type="get_transcription_config") == {"type": "transcription_config", "enabled": False}
    peer.expect("ok", type="set_transcription_config", enabled=True, model_path="/m")
    assert peer.ask(type="get_transcription_config") == {"type": "transcription_config", "enabled": True, "model_path": "/m"}
    say("settings")


def approval(peer):
    peer.expect("token_invalid", type="validate_token", token=TOKEN)
    assert peer.expect("selection", type="query_selection")["has_approval_token"] is False
    peer.expect("token_stored", type="store_token", token=TOKEN)
    peer.expect("token_valid", type="validate_token", token=TOKEN)
    peer.expect("token_invalid", type="validate_token", token=TOKEN[:-1])
    assert peer.ask(type="query_selection") == {
        "type": "selection", "source_type": "region", "source_id": "SYN-1", "has_approval_token": True,
        "geometry": {name: SOURCE[name] for name in ("x", "y", "width", "height")},
    }
    say("approval")


class Listener(Peer):
    """A client that has subscribed: events come between replies, and at any time."""

    def __init__(self, connection, shape):
        super().__init__(connection)
        self.shape = shape
        self.events = []

    def receive(self):
        while (message := super().receive()) and message["type"] == "event":
            self.events.append(self.event(message))
        return message

    def event(self, message):
        if self.shape == "nested":
            assert set(message) == {"type", "event"}, message
            return message["event"]
        return {name: value for name, value in message.items() if name != "type"}

    def next_event(self):
        while not self.events:
            message = Peer.receive(self)
            assert message and message["type"] == "event", message
            self.events.append(self.event(message))
        return self.events.pop(0)


def recording(path, shape):
    peer = Listener(Peer.at(path).connection, shape)
    # The very first message is the answer.
    peer.send(type="subscribe_events")
    assert Peer.receive(peer) == {"type": "subscribed"}
    peer.expect("recording_started", type="start_region_capture", **SOURCE)
    assert peer.next_event() == {"event": "state_changed", "state": "recording"}
    assert peer.expect("recording_state", type="get_recording_state")["state"] == "recording"
    peer.refused("The service is already recording", type="start_region_capture", **SOURCE)
    assert peer.next_event() == {"event": "elapsed_time", "seconds": 1}
    assert peer.next_event() == {"event": "transcription_segment", "timestamp_secs": 1, "text": "one second"}
    assert peer.expect("elapsed_time", type="get_elapsed_time")["seconds"] >= 1
    status = peer.expect("transcription_status", type="get_transcription_status")
    assert status["model_loaded"] and status["active"] and status["segments_processed"] >= 1 and "error" not in status, status
    stopped = peer.expect("recording_stopped", type="stop_recording")
    heard = [peer.next_event()]
    while heard[-1] != {"event": "state_changed", "state": "idle"}:
        heard.append(peer.next_event())
    while heard[0]["event"] in ("elapsed_time", "transcription_segment"):
        heard.pop(0)
    assert heard[:3] == [
        {"event": "state_changed", "state": "saving"},
        {"event": "transcoding_started", "format": "animatedpng"},
        {"event": "transcoding_complete", "success": True, "path": stopped["file_path"]},
    ], heard
    segments = peer.expect("transcription_segments", type="get_transcription_segments", since_index=0)
    assert segments["total_count"] == len(segments["segments"]) >= 1, segments
    frames = animation(stopped["file_path"])
    assert open(stopped["source_path"], "rb").read().count(b"IEND") == frames
    say("recording", "ok" if frames >= 10 else frames)
    return peer


def animation(path):
    """Looks at a PNG that moves with the inflater of another; how many frames it has."""
    data = open(path, "rb").read()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    offset, frames, promised, sequence, bodies = 8, 0, 0, 0, []
    while offset < len(data):
        (length,) = struct.unpack_from(">I", data, offset)
        kind, body = data[offset + 4 : offset + 8], data[offset + 8 : offset + 8 + length]
        assert struct.unpack_from(">I", data, offset + 8 + length)[0] == zlib.crc32(kind + body), kind
        offset += 12 + length
        if kind == b"IHDR":
            width, height, depth, color = struct.unpack_from(">IIBB", body)
            assert (width, height, depth, color) == (SOURCE["width"], SOURCE["height"], 8, 3)
        elif kind == b"acTL":
            promised = struct.unpack_from(">I", body)[0]
        elif kind in (b"fcTL", b"fdAT"):
            assert struct.unpack_from(">I", body)[0] == sequence
            sequence += 1
            frames += kind == b"fcTL"
        if kind in (b"IDAT", b"fdAT"):
            lines = zlib.decompress(body if kind == b"IDAT" else body[4:])
            assert len(lines) == (width + 1) * height
            bodies.append(lines)
    assert frames == promised == len(bodies) and kind == b"IEND"
    assert all(one != other for one, other in zip(bodies, bodies[1:]))
    return frames


def client(path, shape="flat"):
    exact_bytes(path)
    malformed(path)
    invalid(path)
    peer = Peer.at(path)
    window = sources(peer)
    pictures(peer, window)
    settings(peer)
    listener = recording(path, shape)
    approval(peer)
    for request in ({"type": "start_window_capture", "window_handle": window}, {"type": "start_display_capture", "monitor_id": "SYN-2", "width": 32, "height": 32}, {"type": "start_portal_capture"}):
        peer.expect("recording_started", **request)
        peer.expect("recording_stopped", type="stop_recording")
        while peer.expect("recording_state", type="get_recording_state")["state"] != "idle":
            pass
    listener.events.clear()
    peer.expect("ok", type="shutdown")
    assert peer.receive() is None
    while (event := listener.next_event()) != {"event": "shutdown"}:
        assert event["event"] != "shutdown", event
    assert listener.receive() is None
    say("end")


def refused(path):
    peer = Peer.at(path)
    try:
        peer.send(type="ping")
        assert peer.receive() is None
    except (BrokenPipeError, ConnectionResetError):
        pass
    say("refused")


if __name__ == "__main__":
    roles = {"client": client, "refused": refused, "self": lambda: say(os.path.realpath(sys.executable))}
    roles[sys.argv[1]](*sys.argv[2:])
