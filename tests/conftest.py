"""For all tests."""

import contextlib
import signal

with contextlib.suppress(ImportError):  # a GPU machine may have pytest alone
    from hypothesis import settings

    # How long an example takes is the machine's business: a first one imports, another waits for a core.
    settings.register_profile("stilts", deadline=None)
    settings.load_profile("stilts")

# A shell that starts the tests in the background has them ignore Ctrl-C, and what they start inherits it:
# tests of Ctrl-C would then wait for ever.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
