"""For all tests."""

import contextlib
import os
import signal
from pathlib import Path

import pytest

with contextlib.suppress(ImportError):  # a GPU machine may have pytest alone
    from hypothesis import settings

    # How long an example takes is the machine's business: a first one imports, another waits for a core.
    settings.register_profile("stilts", deadline=None)
    settings.load_profile("stilts")

# Several processes share the processors: threads of each would wait for each other's, spinning. Before torch.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")

# What tests write lasts no longer than they do: in memory, where it has room, nothing waits for a disk.
with contextlib.suppress(OSError, StopIteration):
    lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    free = int(next(line for line in lines if line.startswith("MemAvailable")).split()[1]) * 1024
    memory = os.statvfs("/dev/shm")
    if min(free, memory.f_bavail * memory.f_frsize) > 8 * 2**30 and not memory.f_flag & os.ST_NOEXEC:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", "/dev/shm")

# A shell that starts the tests in the background has them ignore Ctrl-C, and nohup hang-ups; what they start
# inherits it, and tests of signals would then wait for ever.
for number, usual in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, usual)

# What takes longest begins first, so that no process works alone at the end.
LONGEST = (
    "stilts/test_published.py",
    "slurm/",
    "stilts/train/test_train_variants.py",
    "stilts/train/test_interruptions.py",
    "stilts/test_end_to_end.py",
    "kernels/test_interpreted.py",
    "lies/",
)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """In that order."""
    root = Path(__file__).parent
    places = {item: item.path.relative_to(root).as_posix() for item in items}

    def rank(item: pytest.Item) -> int:
        return next((n for n, start in enumerate(LONGEST) if places[item].startswith(start)), len(LONGEST))

    items.sort(key=rank)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One more than there are processors: tests of SLURM and of signals mostly wait."""
    return len(os.sched_getaffinity(0)) + 1


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """Where several processes share the tests, those of a file stay together, and those that share more: one
    cluster, one study to tell lies about.
    """
    from xdist.scheduler import LoadScopeScheduling

    class ByPlace(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.partition("::")[0]
            folder = file.rpartition("/")[0]
            return folder if folder in ("tests/slurm", "tests/lies") else file

    return ByPlace(config, log)
