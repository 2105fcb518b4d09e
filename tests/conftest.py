"""For all tests."""

import contextlib
import signal

with contextlib.suppress(ImportError):  # a GPU machine may have pytest alone
    from hypothesis import settings

    # How long an example takes is the machine's business: a first one imports, another waits for a core.
    settings.register_profile("stilts", deadline=None)
    settings.load_profile("stilts")

# A shell that starts the tests in the background has them ignore Ctrl-C, and nohup hang-ups; what they start
# inherits it, and tests of signals would then wait for ever.
for number, usual in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, usual)
