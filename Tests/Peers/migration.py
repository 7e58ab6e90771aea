#!/usr/bin/env python3
"""The two programs of a migration, of another make: envelope.py's messages, written from docs/formats/envelope.md and from no code of this project.

    migration.py service PATH       listens and asks one agent for a backup; loses it once in the middle, has it end, and says in lines what came of it
    migration.py agent PATH USER    is asked for a backup, which it pretends to make, until it is told to end; says in lines what came of it

It is plain and blocks. Whatever is not as the page says ends it with an exception. Only the standard library is used.
"""

import datetime
import json
import socket
import sys

from envelope import TIME, Peer, say

CATEGORIES = ["files", "browsers", "email", "system"]


def hours_from_now(text):
    then = datetime.datetime.fromisoformat(text.split(".")[0].rstrip("Z") + "+00:00")
    return round((then - datetime.datetime.now(datetime.timezone.utc)).total_seconds() / 3600)


def in_hours(count):
    then = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=count)
    return then.strftime("%Y-%m-%dT%H:%M:%S.%f0Z")


# A service


class Service:
    """What is known of the agent, over its connections."""

    def __init__(self):
        self.user = None
        self.starts = 0
        self.completed = False
        self.percent = []
        self.unacknowledged = None
        self.repeated = False

    def answers(self, peer, message):
        """False when the connection is to end, without a word."""
        kind, payload = message["type"], message.get("payload") or {}
        if kind == "HEARTBEAT":
            # The original has no handler for it.
            peer.acknowledge(message, "No handler registered for message type: HEARTBEAT")
            return True
        if kind == "AGENT_STARTED":
            assert sorted(payload) == ["agentVersion", "sessionId", "userId"], payload
            assert self.user in (None, payload["userId"]), payload
            self.user = payload["userId"]
            self.starts += 1
            if self.starts == 1:
                say("agent", payload["agentVersion"])
                peer.send("BACKUP_REQUEST", {"userId": self.user, "priority": "normal", "deadline": in_hours(168), "categories": CATEGORIES})
            else:
                peer.send("STATUS_UPDATE", self.status())
                self.end(peer)
            return True
        assert payload["userId"] == self.user, payload
        if kind == "DELAY_REQUEST":
            say("delay", payload["delaysUsed"], payload["requestedDelay"] // 3600)
            if payload["delaysUsed"] < 3:
                peer.send("BACKUP_REQUEST", {"userId": self.user, "priority": "normal", "deadline": in_hours(min(payload["requestedDelay"] / 3600, 72)), "categories": CATEGORIES})
            else:
                peer.send("ESCALATION_NOTICE", {"reason": "max_delays_exceeded", "details": "enough"})
            return True
        if kind == "BACKUP_PROGRESS":
            if message["id"] == self.unacknowledged:
                self.repeated = True
            elif self.unacknowledged is None:
                # Gone, and this message with it as far as the agent knows.
                self.unacknowledged = message["id"]
                return False
            self.percent.append(payload["progress"])
            assert 0 <= payload["bytesTransferred"] <= payload["bytesTotal"], payload
        elif kind == "BACKUP_STARTED":
            say("started", ",".join(payload["categories"]), payload["estimatedSizeMB"])
            peer.send("CONFIGURATION_UPDATE", {"key": "reportEvery", "value": 50, "scope": "user"})
        elif kind == "BACKUP_COMPLETED":
            results = {name: (each["success"], each["itemCount"]) for name, each in payload["categories"].items()}
            say("completed", payload["success"], json.dumps(results, sort_keys=True), payload["manifestPath"])
        else:
            say("told", kind)
        peer.acknowledge(message)
        if kind == "BACKUP_COMPLETED":
            self.completed = True
            self.end(peer)
        return True

    def status(self):
        ready, blocking = ([self.user], []) if self.completed else ([], [self.user])
        return {"overallStatus": "ready" if self.completed else "in_progress", "blockingUsers": blocking, "readyUsers": ready, "totalUsers": 1}

    def end(self, peer):
        """Asks the agent to end, once it has come again and has a backup. Which of the two is first is the agent's own affair."""
        if self.completed and self.starts == 2:
            peer.send("STATUS_UPDATE", self.status())
            peer.send("SHUTDOWN_REQUEST", {"reason": "enough \u00e9"}, "not a guid")


def service(path):
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen()
    say("listening")
    state, ended, lives = Service(), False, 0
    while not ended:
        connection, _ = listener.accept()
        lives += 1
        peer = Peer(connection)
        while message := peer.receive():
            if message["type"] == "ACKNOWLEDGMENT":
                assert message["payload"]["originalMessageId"] == "not a guid" and message["payload"]["success"], message
                ended = True
            elif not state.answers(peer, message):
                break
        connection.close()
    say("percent", state.percent == sorted(state.percent), state.percent[-1], "came again", state.repeated, "lives", lives)
    say("end")


# An agent


class Agent:
    def __init__(self, path):
        self.peer = Peer.connecting(path)
        self.unasked = []

    def tell(self, kind, payload):
        """What came in answer; messages that came before it are kept."""
        identifier = self.peer.send(kind, payload)
        return self.until(lambda message: message["type"] == "ACKNOWLEDGMENT" and message["payload"]["originalMessageId"] == identifier)["payload"]

    def ask(self, kind, payload, *answers):
        self.peer.send(kind, payload)
        return self.until(lambda message: message["type"] in answers)

    def until(self, wanted):
        for message in self.unasked:
            if wanted(message):
                self.unasked.remove(message)
                return message
        while message := self.peer.receive():
            if wanted(message):
                return message
            self.unasked.append(message)
        raise EOFError("the service has left")

    def pushed(self, kind):
        return self.until(lambda message: message["type"] == kind)


def agent(path, user):
    stranger = Agent(path)
    refused = stranger.tell("AGENT_STARTED", {"userId": "mallory", "agentVersion": "9", "sessionId": "1"})
    say("mallory", refused["success"], "not mallory" in refused["error"])
    own = Agent(path)
    # The number that its sessions have, and the name that its version once had.
    request = own.ask("AGENT_STARTED", {"userId": user, "version": "9", "sessionId": 1}, "BACKUP_REQUEST", "STATUS_UPDATE")
    asked = request["payload"]
    say("started", request["type"], asked["userId"] == user, asked["priority"], ",".join(asked["categories"]), hours_from_now(asked["deadline"]))
    for used in range(4):
        answer = own.ask("DELAY_REQUEST", {"userId": user, "reason": "caf\u00e9", "requestedDelay": 100 * 3600, "delaysUsed": used}, "BACKUP_REQUEST", "ESCALATION_NOTICE")
        say("delay", used, hours_from_now(answer["payload"]["deadline"]) if answer["type"] == "BACKUP_REQUEST" else answer["payload"]["reason"])
    say("begun", own.tell("BACKUP_STARTED", {"userId": user, "categories": ["files"], "estimatedSizeMB": 1.5})["success"])
    setting = own.pushed("CONFIGURATION_UPDATE")["payload"]
    say("set", setting["key"], setting["value"], setting["scope"])
    for percent in (0, 33.3, 100):
        payload = {"userId": user, "category": "files", "progress": percent, "currentFile": None, "bytesTransferred": int(percent * 10), "bytesTotal": 1000}
        assert own.tell("BACKUP_PROGRESS", payload)["success"], percent
    say("spoken for", own.tell("BACKUP_PROGRESS", {"userId": "mallory", "category": "files", "progress": 1})["success"])
    say("error", own.tell("ERROR_REPORT", {"userId": user, "errorCode": "E", "message": "boom", "context": {"n": None}})["success"])
    say("action", own.tell("USER_ACTION", {"userId": user, "action": "looked"})["success"])
    say("unknown", own.tell("NO_SUCH_TYPE", {"userId": user})["error"])
    say("heartbeat", own.tell("HEARTBEAT", {"senderId": user, "timestamp": TIME, "sequenceNumber": 1})["success"])
    results = {"files": {"success": True, "itemCount": 3}}
    say("completed", own.tell("BACKUP_COMPLETED", {"userId": user, "success": True, "manifestPath": "/none", "categories": results})["success"])
    status = own.pushed("STATUS_UPDATE")["payload"]
    say("status", status["overallStatus"], status["readyUsers"] == [user], status["totalUsers"])
    end = own.pushed("SHUTDOWN_REQUEST")
    own.peer.acknowledge(end)
    say("shutdown", end["payload"]["reason"], end["payload"]["gracePeriodSeconds"])
    assert own.peer.receive() is None
    say("end")


if __name__ == "__main__":
    {"service": service, "agent": agent}[sys.argv[1]](*sys.argv[2:])
