#!/usr/bin/env python3
"""The two programs of the process monitor's system, of another make: checksummed.py's frames, Google's protobuf, answers from /proc; written from docs/formats/checksummed.md, the schema and the
list of tasks, and from no code of this project.

    process_monitor.py agent PROGRAM CRC    starts a process monitor that is set to CRC (ieee or castagnoli), asks it as an agent of later versions does, and ends it; says in lines what came of it
    process_monitor.py monitor PATH CRC     is a monitor: listens, answers one agent until that leaves, and says in lines what it was asked. It knows nothing of field 100

It is plain and blocks. Whatever is not as the page says ends it with an exception.
"""

import fnmatch
import hashlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from checksummed import CHECKSUMS, Peer, ask, connected, say, schema


def digest(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


# An agent


def ask_monitor(path, identifier, crc):
    peer = connected(path, CHECKSUMS[crc])
    result = ask(peer, task_id="negotiation", metadata="capability_negotiation")
    say("negotiation", result.success, list(result.capabilities.capabilities.supported_domains))
    result = ask(peer, task_id="all")
    say("all", result.task_id, result.success, {identifier, os.getpid()} <= {process.pid for process in result.processes})
    result = ask(peer, task_id="one", process_filter=schema.ProcessFilter(pids=[identifier]))
    process = result.processes[0]
    say("one", len(result.processes), process.name, process.ppid == os.getpid(), process.user_id == str(os.getuid()), process.file_exists)
    found = digest(process.executable_path)
    check = schema.HashCheck(executable_path=process.executable_path, expected_hash=found, hash_algorithm="sha256")
    result = ask(peer, task_id="verify", task_type=schema.VERIFY_EXECUTABLE, hash_check=check)
    say("verify", result.success, result.hash_result.success, result.hash_result.hash_value == found == process.executable_hash)
    for odd in ("/dev/zero", path):
        result = ask(peer, task_id="odd", task_type=schema.CHECK_PROCESS_HASH, hash_check=schema.HashCheck(executable_path=odd))
        say("odd", result.success, "cannot be read" in result.error_message)
    result = ask(peer, task_id="tree", task_type=schema.MONITOR_PROCESS_TREE, process_filter=schema.ProcessFilter(pids=[os.getpid()]))
    say("tree", [process.pid for process in result.processes] == [os.getpid(), identifier])
    for kind in (4, 5, 6, 42):
        result = ask(peer, task_id="other", task_type=kind)
        say(kind, result.success, result.error_message)
    (other,) = (name for name in CHECKSUMS if name != crc)
    stranger = connected(path, CHECKSUMS[other])
    stranger.send(schema.DetectionTask(task_id="with the other polynomial"))
    say("stranger:", stranger.receive())


def agent(program, crc):
    with tempfile.TemporaryDirectory() as folder:
        path = folder + "/run/procmond.sock"
        settings = Path(folder, "ginnel.json")
        settings.write_text(json.dumps({"ipc": {"endpoint_path": path, "crc32_variant": crc.capitalize()}}))
        process = subprocess.Popen([program], env={**os.environ, "GINNEL_CONFIG": str(settings)}, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        try:
            # Its first line comes before it listens.
            process.stdout.readline()
            for _ in range(500):
                if Path(path).exists():
                    break
                time.sleep(0.02)
            say("socket", oct(os.stat(path).st_mode & 0o777), oct(os.stat(folder + "/run").st_mode & 0o777))
            ask_monitor(path, process.pid, crc)
        finally:
            process.terminate()
            status = process.wait(30)
        say("end", status, Path(path).exists())


# A monitor


def record(pid):
    """None when there is no such process any more."""
    try:
        # The name may hold brackets and blanks; it ends with the last bracket.
        head, _, rest = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")
        command = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")[:-1]
        user = os.stat(f"/proc/{pid}").st_uid
    except OSError:
        return None
    process = schema.ProcessRecord(pid=pid, ppid=int(rest.split()[1]), name=head.partition("(")[2], command_line=command, user_id=str(user), collection_time=int(time.time() * 1000))
    try:
        process.executable_path = os.readlink(f"/proc/{pid}/exe")
        process.accessible = True
        process.file_exists = os.path.exists(process.executable_path)
    except OSError:
        pass
    return process


def admitted(process, task):
    wanted = task.process_filter
    path = process.executable_path
    return (
        (not wanted.process_names or process.name in wanted.process_names)
        and (not wanted.pids or process.pid in wanted.pids)
        and (not wanted.executable_pattern or any(fnmatch.fnmatchcase(part, wanted.executable_pattern) for part in (path, os.path.basename(path))))
    )


def tree(everything, roots):
    """Each behind its parent."""
    waiting, found = [process.pid for process in roots], []
    while waiting:
        found.append(everything[waiting.pop(0)])
        waiting = [process.pid for process in everything.values() if process.ppid == found[-1].pid] + waiting
    return found


UNSUPPORTED = {4: "Network", 5: "Filesystem", 6: "Performance"}


def answered(task):
    result = schema.DetectionResult(task_id=task.task_id, success=True)
    if task.metadata == "capability_negotiation":
        return result
    if task.task_type in (schema.CHECK_PROCESS_HASH, schema.VERIFY_EXECUTABLE):
        check = task.hash_check
        try:
            found = digest(check.executable_path)
        except OSError as error:
            return schema.DetectionResult(task_id=task.task_id, error_message=str(error))
        same = check.expected_hash in ("", found)
        result.hash_result.CopyFrom(schema.HashResult(hash_value=found, algorithm="sha256", file_path=check.executable_path, success=same))
        if not same:
            result.hash_result.error_message = "Hash mismatch"
    elif task.task_type in (schema.ENUMERATE_PROCESSES, schema.MONITOR_PROCESS_TREE):
        everything = {process.pid: process for name in os.listdir("/proc") if name.isdigit() and (process := record(int(name)))}
        chosen = [process for process in everything.values() if admitted(process, task)]
        result.processes.extend(tree(everything, chosen) if task.task_type == schema.MONITOR_PROCESS_TREE else chosen)
    else:
        kind = UNSUPPORTED.get(task.task_type)
        words = f"{kind} monitoring not supported" if kind else f"Unknown task type: {task.task_type}"
        return schema.DetectionResult(task_id=task.task_id, error_message=words)
    return result


def monitor(path, crc):
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    os.chmod(path, 0o600)
    listener.listen()
    say("listening")
    connection, _ = listener.accept()
    with connection:
        peer = Peer(connection, CHECKSUMS[crc])
        while (body := peer.receive()) is not None:
            task = schema.DetectionTask.FromString(body)
            say("asked", task.task_type, task.metadata or "-", *(f"{field.name}" for field, _ in task.ListFields() if field.message_type))
            peer.send(answered(task))
    say("end")


if __name__ == "__main__":
    {"agent": agent, "monitor": monitor}[sys.argv[1]](*sys.argv[2:])
