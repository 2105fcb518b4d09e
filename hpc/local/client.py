"""The launcher's end of the fork server."""

import json
import os
import select
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from hpc.errors import UserError
from hpc.local.channel import Channel
from hpc.local.child import BOOTSTRAP

THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")


class ForkServer:
    """A server process for as long as the context lasts; leaving it ends the server and all its children.

    Args:
        preload: modules to import before the first fork.
        environment: variables of the server and all children.
        log: takes what the server and the imports print.
    """

    def __init__(self, *, preload: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        self.log = log
        self.ready = False
        log.parent.mkdir(parents=True, exist_ok=True)
        ours, theirs = socket.socketpair()
        bootstrap = BOOTSTRAP.format(module="hpc.local.server")
        arguments = [str(theirs.fileno()), str(os.getpid()), json.dumps(list(preload))]
        with theirs, open(log, "ab") as output:
            self._process = self._launch(
                [bootstrap, json.dumps(sys.path), *arguments], theirs, output, environment
            )
        self._channel = Channel(ours)

    @staticmethod
    def _launch(
        arguments: list[str], channel: socket.socket, output: IO[bytes], environment: Mapping[str, str]
    ) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-c", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            pass_fds=[channel.fileno()],
            env=os.environ | dict(environment),
            # Out of reach of the terminal's Ctrl-C: the launcher decides how runs end.
            start_new_session=True,
        )

    def start(self, message: Mapping[str, Any]) -> None:
        """Starts a node; `ended` follows."""
        self._send({"do": "start", **message})

    def stop(self, *, grace: float) -> None:
        """SIGTERM to every child now, SIGKILL after `grace` seconds."""
        self._send({"do": "stop", "grace": grace})

    def wait(self, other: Any, seconds: float | None = None) -> list[dict[str, Any]]:
        """What the server says, or nothing once `other` becomes readable or the time is over.

        Raises:
            UserError: the server could not import a module, or died.
        """
        readable, _, _ = select.select([self._channel, other], [], [], seconds)
        if self._channel not in readable:
            return []
        messages = self._channel.receive()
        if messages is None:
            raise UserError(f"the process that starts runs has died; its log is {self.log}", code=1)
        for message in messages:
            if message["is"] == "broken":
                said = f"cannot start runs: {message['error']}; the log is {self.log}"
                raise UserError(said, code=message["code"])
            self.ready |= message["is"] == "ready"
        return [message for message in messages if message["is"] == "ended"]

    def __enter__(self) -> "ForkServer":
        return self

    def __exit__(self, *_: object) -> None:
        self._channel.close()
        if not self.ready:
            # Still importing: it looks at the channel only afterwards, and has no children yet.
            self._process.kill()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _send(self, message: Mapping[str, Any]) -> None:
        try:
            self._channel.send(dict(message))
        except OSError as error:
            raise UserError(
                f"the process that starts runs has died; its log is {self.log}", code=1
            ) from error


def thread_environment(threads: int) -> dict[str, str]:
    """Variables that bound every numeric library's threads; they are read when the library loads."""
    return dict.fromkeys(THREAD_VARIABLES, str(threads))
