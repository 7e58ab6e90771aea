#!/usr/bin/env python3
"""A service of the recorder, written from docs/formats/tagged-json.md and from no code of this project. recorder.py is the other half.

    recorder_service.py PATH [FAULT]  listens and records nothing, but answers as a recorder does; with FAULT, wrongly

It serves one client after the other, says in lines what each has asked, and ends when one asks it to. Only the standard library is used.
"""

import json
import os
import socket
import struct
import sys

from recorder import LIMIT, Peer, framed, say

REPLIES = {
    "ping": {"type": "pong"},
    "list_windows": {"type": "windows", "windows": [{"handle": 5, "title": "T \u00e9", "process_name": "p"}]},
    "list_monitors": {"type": "monitors", "monitors": [{"id": "M", "name": "N", "x": 0, "y": 0, "width": 10, "height": 20, "is_primary": True}]},
    "list_audio_sources": {"type": "audio_sources", "sources": [{"id": "a", "name": "b", "source_type": "input", "later": None}]},
    "query_selection": {"type": "selection", "source_type": "region", "source_id": "M", "has_approval_token": True, "geometry": {"x": 1, "y": 2, "width": 3, "height": 4}},
    "subscribe_events": {"type": "subscribed"},
    "start_display_capture": {"type": "recording_started"},
    "stop_recording": {"type": "recording_stopped", "file_path": "/f", "source_path": "/s"},
    "shutdown": {"type": "ok"},
}
FAULTS = {
    "length": struct.pack("<I", LIMIT + 1),
    "text": framed("{"),
    "type": framed('{"type":"ok"}'),
    "untyped": framed("{}"),
    "twice": framed('{"type":"windows","windows":[]}') * 2,
    "cut": framed('{"type":"windows","windows":[]}')[:-1],
    "error": framed('{"type":"error","message":"no \u00e9"}'),
    "wordless": framed('{"type":"error"}'),
    "silent": b"",
}


def event(nested=False, **members):
    return framed(json.dumps({"type": "event", "event": members} if nested else {"type": "event", **members}))


def serve(connection, fault):
    peer = Peer(connection)
    asked = []
    try:
        while request := peer.receive():
            asked.append(request)
            reply = framed(json.dumps(REPLIES[request["type"]]))
            if fault:
                peer.write(FAULTS[fault])
                if fault not in ("error", "wordless", "type", "untyped"):
                    break
            elif request["type"] == "start_display_capture":
                # Everything at once, in both shapes.
                peer.write(reply + event(event="state_changed", state="recording") + event(True, event="elapsed_time", seconds=1))
            elif request["type"] == "stop_recording":
                # Byte by byte.
                for byte in reply + event(event="transcoding_complete", success=True, path="/f"):
                    peer.write(bytes([byte]))
            else:
                peer.write(reply)
    except (BrokenPipeError, ConnectionResetError):
        pass
    connection.close()
    return asked


def main(path, fault=None):
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    os.chmod(path, 0o600)
    listener.listen(8)
    say("listening")
    while True:
        connection, _ = listener.accept()
        asked = serve(connection, fault)
        if asked:
            say("asked", json.dumps(asked, separators=(",", ":")))
        else:
            say("asked nothing")
        if any(request["type"] == "shutdown" for request in asked):
            say("end")
            return


if __name__ == "__main__":
    main(*sys.argv[1:])
