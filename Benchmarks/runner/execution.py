"""Starts one program for one workload and returns what it measured, or says why there is nothing to return.

A program is believed only when it ends with status 0 in time and prints exactly the object that the contract in README.md
describes, with numbers that agree with each other, so that a mistake of units in a program does not become a figure. A factor of ten
between them is let pass, since a machine may well stand still for longer than a short run takes.
"""

import json
import math
import os
import signal
import subprocess
from dataclasses import dataclass

KEYS = ("p50_us", "p99_us", "mean_us", "rate", "cpu_seconds", "messages")
LATENCIES = ("p50_us", "p99_us", "mean_us")
GATHERED_KEY = "messages_per_write"  # of one-way messages on a socket
MESSAGE_KEY = "message_bytes"  # of programs that make their messages themselves
IDLE_KEYS = ("memory_bytes", "connections")
MORE_KEYS = {"one-way": (GATHERED_KEY,), "protobuf-encode": (MESSAGE_KEY,), "protobuf-decode": (MESSAGE_KEY,)}
WITHOUT_LATENCIES = ("one-way", "stream-one-way")  # work that has no answer
GRACE_SECONDS = 20.0  # beyond twice the measured time: start, a thousand connections, warm-up, end


class RunFailed(Exception):
    """A run without a result; the text is one sentence for the table."""


@dataclass(frozen=True)
class Sample:
    """What one run measured, None for what the work has not. Latencies in microseconds; cpu is microseconds of both
    processes for each message; memory is bytes of the server for each connection; gathered is messages for each write; message is bytes."""

    p50: float | None
    p99: float | None
    mean: float | None
    rate: float | None
    cpu: float | None
    memory: float | None = None
    gathered: float | None = None
    message: int | None = None


def run(command: list[str], work: str, seconds: float, grace: float = GRACE_SECONDS) -> Sample:
    try:
        process = subprocess.Popen(command + ["--seconds", str(seconds)], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)
    except OSError as error:
        raise RunFailed(f"could not be started: {error.strerror}") from error
    try:
        output, complaint = process.communicate(timeout=2 * seconds + grace)
    except subprocess.TimeoutExpired as error:
        raise RunFailed("did not end in time") from error
    finally:
        end(process)
    if process.returncode != 0:
        lines = complaint.strip().splitlines()
        raise RunFailed(f"ended with status {process.returncode}: {lines[0] if lines else 'no message'}")
    return parse(output, work, seconds)


def end(process: subprocess.Popen) -> None:
    """Leaves nothing of the program behind to disturb the next one, not even when we are interrupted."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()
    for stream in (process.stdout, process.stderr):
        stream.close()


def parse(output: str, work: str, seconds: float) -> Sample:
    try:
        answer = json.loads(output)
    except ValueError as error:
        raise RunFailed("did not print one JSON object") from error
    keys = IDLE_KEYS if work == "idle" else (*KEYS, *MORE_KEYS.get(work, ()))
    if not isinstance(answer, dict) or set(answer) != set(keys):
        raise RunFailed(f"did not print an object with the keys {', '.join(keys)}")
    numbers = {key: answer[key] for key in keys}
    if work in WITHOUT_LATENCIES and any([numbers.pop(key) is not None for key in LATENCIES]):
        raise RunFailed("reports latencies for messages that have no answer")
    for key, value in numbers.items():
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value) or value <= 0:
            raise RunFailed(f"{key} is not a number above zero")
    if work == "idle":
        return Sample(None, None, None, None, None, answer["memory_bytes"])
    if work not in WITHOUT_LATENCIES and answer["p50_us"] > answer["p99_us"]:
        raise RunFailed("the median is above the 99th percentile")
    if not 1 / 10 < answer["messages"] / answer["rate"] / seconds < 10:
        raise RunFailed("messages and rate do not agree with the time measured")
    return Sample(answer["p50_us"], answer["p99_us"], answer["mean_us"], answer["rate"], answer["cpu_seconds"] / answer["messages"] * 1e6,
                  gathered=answer.get(GATHERED_KEY), message=answer.get(MESSAGE_KEY))
