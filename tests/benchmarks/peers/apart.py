"""A contestant in a process of its own: what its libraries do to a process slows nobody else.

Threads that CTranslate2 starts, for one, have the OpenMP library that torch shares with it put torch's own to
sleep sooner, for as long as the process lives.
"""

import atexit
import multiprocessing
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from typing import Any

import torch
from peers.contestants import Contestant
from torch import Tensor


def apart(make: Callable[..., Contestant], *arguments: Any) -> Contestant:
    """What `make(*arguments)` gives, made and run in a fresh process.

    Raises:
        ImportError: a package is not installed.
        RuntimeError: whatever else went wrong there.
    """
    context = multiprocessing.get_context("spawn")
    mine, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, make, arguments), daemon=True)
    process.start()
    atexit.register(process.kill)
    theirs.close()
    name, precision, ways = _answer(mine)

    def running(way: str) -> Callable[[Sequence[Tensor]], Tensor]:
        def encode(sequences: Sequence[Tensor]) -> Tensor:
            mine.send((way, [ids.numpy() for ids in sequences]))
            return torch.from_numpy(_answer(mine))

        return encode

    return Contestant(name=name, precision=precision, ways={way: running(way) for way in ways})


def _answer(connection: Connection) -> Any:
    try:
        answer = connection.recv()
    except EOFError as error:
        raise RuntimeError("the process of a contestant has ended") from error
    if isinstance(answer, Exception):
        raise answer
    return answer


def _serve(connection: Connection, make: Callable[..., Contestant], arguments: tuple[Any, ...]) -> None:
    try:
        contestant = make(*arguments)
        connection.send((contestant.name, contestant.precision, list(contestant.ways)))
    except ImportError as error:
        connection.send(ImportError(str(error)))
        return
    except Exception as error:
        connection.send(RuntimeError(f"{type(error).__name__}: {error}"))
        return
    with torch.inference_mode():
        while True:
            try:
                way, sequences = connection.recv()
            except EOFError:
                return
            try:
                answer = contestant.ways[way]([torch.from_numpy(ids) for ids in sequences]).numpy()
            except Exception as error:
                answer = RuntimeError(f"{type(error).__name__}: {error}")
            connection.send(answer)
