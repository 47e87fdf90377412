import signal

import pytest

PATIENCE = 120  # seconds: far more than any case takes on a busy machine


@pytest.fixture(autouse=True)
def patience():
    """Name the test that hangs, instead of hanging with it."""
    if not hasattr(signal, "SIGALRM"):
        yield
        return

    def give_up(signum, stack):
        raise TimeoutError(f"No answer within {PATIENCE} seconds.")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(PATIENCE)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)
