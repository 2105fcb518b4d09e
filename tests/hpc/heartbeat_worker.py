"""One rank that works, and from some step on does not: `heartbeat_worker.py FOLDER HOW SECONDS`."""

import os
import sys
import time
from pathlib import Path

from hpc.heartbeat import Heartbeat

FOLDER, HOW, SECONDS = Path(sys.argv[1]), sys.argv[2], float(sys.argv[3])
RANK = int(os.environ["RANK"])


def stuck() -> None:
    time.sleep(60)


def wait_for_others() -> None:
    """As within torch.distributed: told by the file its code is of."""
    code = compile(
        "import time\ntime.sleep(60)",
        os.path.join("site-packages", "torch", "distributed", "wait.py"),
        "exec",
    )
    exec(code)


def tell(reason: str) -> None:
    (FOLDER / f"told-{RANK}").write_text(reason)


with Heartbeat(FOLDER / "beats", rank=RANK, world_size=2, patience=1.0, tell=tell) as heart:
    for _ in range(round(10 * SECONDS)):
        heart.beat()
        time.sleep(0.1)
        if HOW == "first waits" and RANK == 0:
            wait_for_others()
    if HOW == "behind":
        if RANK == 0:
            heart.beat()
            wait_for_others()
        stuck()
    if HOW == "alike":
        (wait_for_others if RANK == 0 else stuck)()
    if HOW == "both":
        wait_for_others()
