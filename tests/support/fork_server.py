"""Runs ``tui`` in forks of a process that has imported PyTorch: a new interpreter imports it for seconds.

    python -m tests.support.fork_server SOCKET

SOCKET is the number of an inherited Unix socket. The server has no threads, so that forking it is safe, and ends when
the other end of the socket is closed. Each command has a process of its own, with a process that waits for it.
"""

import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.support.repository import REPOSITORY

__all__ = ["Command", "ForkServer"]

MAX_REQUEST = 1 << 18
"""Bytes; a request holds the arguments and the environment of a command."""


class Command:
    """A command in a process of its own; as much of ``subprocess.Popen`` as tests use.

    Attributes:
        pid: of the process.
        stdout, stderr: what it prints.
        returncode: its exit status, negative for a signal; None as long as it runs.
    """

    def __init__(self, stdout: int, stderr: int, status: int) -> None:
        self.stdout, self.stderr = os.fdopen(stdout), os.fdopen(stderr)
        self.returncode: int | None = None
        self._status = os.fdopen(status)
        self.pid = int(self._status.readline())

    def poll(self) -> int | None:
        """Return the exit status, or None as long as it runs."""
        ended, _, _ = select.select([self._status], [], [], 0)
        return self.wait() if ended else self.returncode

    def wait(self) -> int:
        """Wait for the end; the exit status."""
        if self.returncode is None:
            self.returncode = int(self._status.readline())
        return self.returncode

    def communicate(self) -> tuple[str, str]:
        """Read all output to its end, and wait."""
        with ThreadPoolExecutor(1) as other:
            errors = other.submit(self.stderr.read)
            output = "" if self.stdout.closed else self.stdout.read()
        self.wait()
        return output, errors.result()

    def send_signal(self, number: int) -> None:
        """Send a signal, unless the process has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def close(self) -> None:
        """Kill it if it still runs, and free its pipes."""
        self.send_signal(signal.SIGKILL)
        self.wait()
        for file in (self.stdout, self.stderr, self._status):
            file.close()


class ForkServer:
    """The end of the socket at which commands are asked for; the server starts at once and imports meanwhile."""

    def __init__(self) -> None:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.support.fork_server", str(theirs.fileno())],
                cwd=REPOSITORY,
                env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )

    def run(self, arguments: Sequence[str], folder: Path, environment: Mapping[str, str]) -> Command:
        """Start ``tui`` with arguments in a folder."""
        request = json.dumps([list(arguments), str(folder), dict(environment)]).encode()
        pipes = [os.pipe() for _ in range(3)]
        socket.send_fds(self._socket, [request], [writing for _, writing in pipes])
        for _, writing in pipes:
            os.close(writing)
        return Command(*(reading for reading, _ in pipes))

    def close(self) -> None:
        """End the server."""
        self._socket.close()
        self._process.wait()


def serve(requests: socket.socket) -> None:
    """Fork for each request; return in the fork that is to run the command, set up for it."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those who wait
    while True:
        request, handles, _, _ = socket.recv_fds(requests, MAX_REQUEST, 3)
        if not request:
            os._exit(0)
        if os.fork() == 0:
            break
        for handle in handles:
            os.close(handle)
    requests.close()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    *outputs, status = handles
    if child := os.fork():
        for output in outputs:
            os.close(output)
        os.write(status, f"{child}\n".encode())
        os.write(status, f"{os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])}\n".encode())
        os._exit(0)
    os.close(status)
    for number, output in enumerate(outputs, start=1):
        os.dup2(output, number)
        os.close(output)
    sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", 1, errors="backslashreplace", closefd=False)  # noqa: SIM115
    # Typed as final; but these, too, have to be those of the child.
    sys.__stdout__, sys.__stderr__ = sys.stdout, sys.stderr  # type: ignore[misc]
    arguments, folder, environment = json.loads(request)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.path[0] = folder
    sys.argv = ["tui", *arguments]


if __name__ == "__main__":
    import sklearn.datasets  # noqa: F401
    import torch

    from core.session.preload import load_backend

    load_backend()
    torch.optim.SGD([torch.zeros(1)])  # the first optimizer imports a large part of torch
    serve(socket.socket(fileno=int(sys.argv[1])))
    runpy.run_module("tui", run_name="__main__", alter_sys=True)
