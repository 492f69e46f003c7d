#!/usr/bin/env python3
"""Pokes a handle and watches what comes of it, through roused's plain sockets.

    watch.py HANDLE

Nothing but Python's own library is needed: poke.sock takes lines in datagrams, and control.sock
speaks JSON-RPC, a line each way.
"""

import json
import os
import socket
import sys

DIR = os.environ.get("ROUSE_DIR", "/run/roused")


def poke(names):
    """Sends to all of these in one datagram; the answers, a line each."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind("")  # an address that the kernel chooses, so that an answer can come
        sock.connect(os.path.join(DIR, "poke.sock"))
        sock.send("".join(name + "\n" for name in names).encode())
        return sock.recv(1 << 18).decode().splitlines()


class Control:
    """A connection to control.sock."""

    def __init__(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(os.path.join(DIR, "control.sock"))
        self.lines = self.sock.makefile("r", encoding="utf-8")
        self.notifications = []

    def call(self, method, **params):
        """The result; notifications that come before it are kept for later."""
        request = {"jsonrpc": "2.0", "method": method, "params": params, "id": 1}
        self.sock.sendall(json.dumps(request).encode() + b"\n")
        while True:
            answer = self.read()
            if "method" in answer:
                self.notifications.append(answer)
            elif "error" in answer:
                raise RuntimeError(answer["error"]["message"])
            else:
                return answer["result"]

    def next(self):
        """The next notification."""
        return self.notifications.pop(0) if self.notifications else self.read()

    def read(self):
        line = self.lines.readline()
        if not line:
            raise ConnectionError("roused has gone")
        return json.loads(line)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    name = sys.argv[1]
    control = Control()
    has_action = control.call("status", name=name)["has_action"]
    control.call("subscribe", patterns=name, runs=True)
    (answer,) = poke([name])
    if not answer.startswith("ok "):
        sys.exit(f"{name}: {answer}")
    print(f"poked {name}, ticket {answer[3:]}")
    while True:
        event = control.next()
        params = event["params"]
        print(event["method"], params["name"], params["seq"], flush=True)
        # What this poke asked for has happened when a run ends that covers its ticket.
        if params["seq"] >= int(answer[3:]) and (event["method"] == "run_ended" or not has_action):
            break


if __name__ == "__main__":
    try:
        main()
    except OSError as error:
        sys.exit(f"cannot talk to roused in {DIR}: {error.strerror or error}")
    except RuntimeError as error:
        sys.exit(str(error))
