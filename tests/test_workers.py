"""What the tests count on when they give jobs to other processes."""

import os
import time

import pytest
from joblib import Parallel, delayed

MANY = 400_000_000  # bytes; joblib replaces a worker that grew by 300 MB since its first job
_kept = []


def grow(number):
    _kept.append(bytearray(MANY) if len(_kept) == 1 else None)
    if len(_kept) == 2:
        _kept[1][:] = b"x" * MANY  # touched, so that it is in memory
    time.sleep(0.6)  # joblib looks once a second
    return number, os.getpid()


@pytest.mark.slow
def test_jobs_end_though_a_worker_that_grew_is_replaced():
    pytest.importorskip("psutil")  # by which joblib sees that they grow
    done = Parallel(n_jobs=2, timeout=60)(delayed(grow)(number) for number in range(10))
    assert [number for number, _ in done] == list(range(10))
    assert len({worker for _, worker in done}) > 2
