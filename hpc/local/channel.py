"""JSON objects, one a line, over a connected socket."""

import json
import socket
from typing import Any


class Channel:
    """One end of the connection between launcher and fork server."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._rest = b""

    def fileno(self) -> int:
        """For select."""
        return self._connection.fileno()

    def send(self, message: dict[str, Any]) -> None:
        """Sends one object.

        Raises:
            OSError: the other end is gone.
        """
        self._connection.sendall(json.dumps(message).encode() + b"\n")

    def receive(self) -> list[dict[str, Any]] | None:
        """Waits for data and returns the whole objects that came; None when the other end is gone."""
        try:
            data = self._connection.recv(1 << 16)
        except ConnectionResetError:
            return None
        if not data:
            return None
        *lines, self._rest = (self._rest + data).split(b"\n")
        return [json.loads(line) for line in lines]

    def close(self) -> None:
        """Tells the other end that this one is gone."""
        self._connection.close()
