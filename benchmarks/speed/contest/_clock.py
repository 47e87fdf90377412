"""A clock that stands still while weights are copied, and says when they should be."""

import time
from contextlib import contextmanager

FIRST, FACTOR = 0.5, 1.25


class Clock:
    """Count the wall seconds of a contender, and keep what it had learned at marks that grow by a quarter.

    Attributes
    ----------
    marks : list of (float, object)
        Counted seconds, and the weights as they were then.
    """

    def __init__(self):
        self.marks = []
        self._next = FIRST
        self._before, self._since = 0.0, time.perf_counter()

    def __deepcopy__(self, memo):
        return self  # libraries copy their models, callbacks and all; there is one clock

    @property
    def seconds(self):
        """The seconds counted so far."""
        return self._before + time.perf_counter() - self._since

    @contextmanager
    def standing(self):
        """Count nothing inside."""
        self._before = self.seconds
        try:
            yield
        finally:
            self._since = time.perf_counter()

    def look(self, module, is_last):
        """Keep a copy of the weights of a torch module where the next mark is reached, and at the end."""
        if self.seconds < self._next and not is_last:
            return
        with self.standing():
            weights = {name: value.detach().clone() for name, value in module.state_dict().items()}
            self.marks.append((self._before, weights))
            while self._next <= self._before:
                self._next *= FACTOR
